-- The database side of canton-submitter: canton-middleware's table `mempool` with our columns, the pinned row, the
-- indexes, and the statements that hold I1, I2, I6 together (functions, since only they carry plan settings through a
-- pooler). Apply it with `canton-submitter migrate`; every step may run again. What instances of two versions share
-- ends in _v1: a new meaning gets a new name. triggers.sql has the doorbell and the guard.

-- @step the tables of canton-middleware, where absent
create table if not exists mempool (
  id bigserial primary key,
  tx_hash bytea not null unique,
  from_address text not null,
  contract_address text not null,
  recipient_address text not null,
  nonce bigint not null,
  input bytea not null,
  amount_data bytea not null,
  status text not null default 'pending',
  error_message text,
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create table if not exists users (
  id bigserial primary key,
  evm_address varchar(42) not null unique,
  canton_party varchar(255) not null,
  fingerprint varchar(128) not null,
  mapping_cid varchar(255),
  created_at timestamptz default current_timestamp,
  canton_party_id varchar(255),
  canton_private_key_encrypted text,
  canton_key_created_at timestamptz,
  key_mode varchar(20) not null default 'custodial',
  canton_public_key_fingerprint text
);

-- @step the pinned row: what all instances agree on
create table if not exists mempool_submitter_v1 (
  one boolean primary key default true check (one),
  protocol int not null,
  generation bigint not null,
  lanes text not null check (lanes in ('sender', 'off')),
  tolerance_ms int not null check (tolerance_ms >= 0),
  clock_skew_max_ms int not null check (clock_skew_max_ms >= 0),
  participant_id text,
  user_id text,
  synchronizer_id text,
  sent_on int not null default 1,
  ledger_end bigint,
  mark_offset bigint,
  mark_update_id text,
  mark_party text,
  table_options_before text[],
  pinned_at timestamptz not null default now(),
  check ((mark_offset is null) = (mark_update_id is null) and (mark_offset is null) = (mark_party is null)),
  check ((participant_id is null) = (user_id is null) and (participant_id is null) = (synchronizer_id is null))
);
comment on table mempool_submitter_v1 is 'canton-submitter: one row, what all instances agree on. Written by migrate and by the first instance that connects; pins change under a table lock on mempool and raise the generation, marks only move forward';
comment on column mempool_submitter_v1.one is 'always true: there is one row';
comment on column mempool_submitter_v1.protocol is 'an instance that speaks another protocol claims nothing';
comment on column mempool_submitter_v1.generation is 'raised by every change of a pin; every claim and write-ahead names the one it checked';
comment on column mempool_submitter_v1.lanes is 'sender: one transfer in flight per sender, in nonce order; off: no such rule';
comment on column mempool_submitter_v1.tolerance_ms is 'ledgerTimeRecordTimeTolerance of the synchronizer, part of every hosted bound';
comment on column mempool_submitter_v1.clock_skew_max_ms is 'how far the clocks of database and ledger may lie apart, part of the bound of an unknown record';
comment on column mempool_submitter_v1.participant_id is 'the one participant that sends; null until the first instance connects';
comment on column mempool_submitter_v1.user_id is 'the ledger user, part of every change id; null until the first instance connects';
comment on column mempool_submitter_v1.synchronizer_id is 'whose record time decides bounds; null until the first instance connects';
comment on column mempool_submitter_v1.sent_on is 'number of the pinned participant, copied into every record';
comment on column mempool_submitter_v1.ledger_end is 'mark: highest ledger end that any instance saw';
comment on column mempool_submitter_v1.mark_offset is 'mark: offset of a completion that the pinned participant has shown';
comment on column mempool_submitter_v1.mark_update_id is 'mark: update id of that completion';
comment on column mempool_submitter_v1.mark_party is 'mark: a party that sees that completion';
comment on column mempool_submitter_v1.table_options_before is 'storage parameters that mempool had before, for migrate --down';
comment on column mempool_submitter_v1.pinned_at is 'when a pin last changed';

-- @step the pinned row, continued: which database it was pinned in, whether anybody may claim, what a recheck left
alter table mempool_submitter_v1
  add column if not exists database_id text,
  add column if not exists timeline text,
  add column if not exists halted text,
  add column if not exists recheck_from bigint,
  add column if not exists recheck_until timestamptz,
  add column if not exists recheck_at timestamptz
    check (num_nulls(recheck_from, recheck_until, recheck_at) in (0, 3));
comment on column mempool_submitter_v1.database_id is 'system identifier of the cluster, given at initdb; null where it may not be asked for. Another one than pinned gets no claim';
comment on column mempool_submitter_v1.timeline is 'timeline of the write-ahead log, which every promotion and point-in-time restore changes; null where it may not be asked for. Another one than pinned gets no claim';
comment on column mempool_submitter_v1.halted is 'why nobody may claim, until a person acts (migrate --tolerance); null: go on';
comment on column mempool_submitter_v1.recheck_from is 'after a failover or restore: the ledger end that was pinned before it; what was lost with the database lies after it';
comment on column mempool_submitter_v1.recheck_until is 'what was sent before the recheck cannot be accepted after this record time';
comment on column mempool_submitter_v1.recheck_at is 'when it was rechecked; seven days later it is past';

-- @step the pinned row, continued: what tells a copy of this database from it, and what a person has decided
alter table mempool_submitter_v1
  add column if not exists database_oid bigint,
  add column if not exists table_oid bigint,
  add column if not exists halted_above_ms int,
  add column if not exists other_marks jsonb not null default '[]',
  add column if not exists same_nonce text not null default 'pay' check (same_nonce in ('pay', 'park')),
  add column if not exists old_user text,
  add column if not exists scheme_in_force int;
comment on column mempool_submitter_v1.database_oid is 'oid of the database: a dump restored under the same name has another';
comment on column mempool_submitter_v1.table_oid is 'oid of mempool: a table that was dropped and made again has another; 0 after a truncate';
comment on column mempool_submitter_v1.halted_above_ms is 'the least tolerance that would have kept the bound that was broken; a lower one does not end the halt';
comment on column mempool_submitter_v1.other_marks is 'marks of other parties than mark_party, the newest first: one of them proves the participant where the first cannot';
comment on column mempool_submitter_v1.same_nonce is 'what becomes of a row whose sender and nonce another hash has used: pay or park';
comment on column mempool_submitter_v1.scheme_in_force is 'what external senders'' transfers were last hashed with before they were signed, for status; null: none were yet';
comment on column mempool_submitter_v1.old_user is 'ledger user of the submitter before ours, whose leftovers are looked up under it; null: the same';

-- @step the hashes that have ended, as they are remembered when their rows are deleted (I4)
create table if not exists mempool_ended_v1 (
  tx_hash bytea primary key,
  status text not null check (status in ('completed', 'failed', 'mined')),
  error_message text,
  update_id text,
  ended_at timestamptz not null
);
comment on table mempool_ended_v1 is 'canton-submitter: transactions whose row is gone. A row of such a hash is answered from here and never claimed, or it would be paid again. Only ever added to';
comment on column mempool_ended_v1.tx_hash is 'hash of the Ethereum transaction';
comment on column mempool_ended_v1.status is 'as the row had it when it was deleted';
comment on column mempool_ended_v1.error_message is 'why it failed, as a wallet saw it';
comment on column mempool_ended_v1.update_id is 'the ledger''s update that did the transfer';
comment on column mempool_ended_v1.ended_at is 'when the row last changed';

-- @step the audit: what people, and instances in their stead, decided about the whole table or against a record
create table if not exists mempool_submitter_audit_v1 (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  by_role text not null default current_user,
  by_application text not null default current_setting('application_name'),
  action text not null,
  tx_hash bytea,
  change jsonb not null
);
comment on table mempool_submitter_audit_v1 is 'canton-submitter: one entry for each decision that no row tells of by itself. Only ever added to';
comment on column mempool_submitter_audit_v1.id is 'order of the entries';
comment on column mempool_submitter_audit_v1.at is 'when';
comment on column mempool_submitter_audit_v1.by_role is 'the database role that did it';
comment on column mempool_submitter_audit_v1.by_application is 'the application_name that did it: the instance, or the command';
comment on column mempool_submitter_audit_v1.action is 'recheck, halt, tolerance, pins, repin, remark, down, completed, force-new';
comment on column mempool_submitter_audit_v1.tx_hash is 'the row it was about; null: the whole table';
comment on column mempool_submitter_audit_v1.change is 'what was changed, and what was forgotten by it';

-- @step columns: constant defaults and now(), which is evaluated once, so no row is rewritten
alter table mempool
  add column if not exists available_at timestamptz not null default now(),
  add column if not exists claim_token uuid,
  add column if not exists claimed_by text,
  add column if not exists claimed_at timestamptz,
  add column if not exists lease_expires_at timestamptz,
  add column if not exists released_token uuid,
  add column if not exists attempts int not null default 0,
  add column if not exists last_error text,
  add column if not exists sent_from bigint,
  add column if not exists sent_until timestamptz,
  add column if not exists submission_id text,
  add column if not exists submission_party text,
  add column if not exists submission_hash bytea,
  add column if not exists hashing_scheme int,
  add column if not exists sent_on int,
  add column if not exists sent_by text,
  add column if not exists same_nonce_ok boolean not null default false,
  add column if not exists update_id text,
  add column if not exists completion_offset bigint;

-- @step the record is set together and cleared together; not valid: no scan, and old rows have none
do $$ begin
  if not exists (select from pg_constraint where conrelid = 'mempool'::regclass and conname = 'mempool_record_v1') then
    alter table mempool add constraint mempool_record_v1 check (
      case when sent_until is null
        then num_nonnulls(sent_from, submission_id, submission_party, submission_hash, hashing_scheme, sent_on) = 0
        else num_nulls(sent_from, submission_party, sent_on) = 0 end) not valid;
  end if;
end $$;

-- @step what the columns are for
comment on column mempool.id is 'canton-middleware: arrival order';
comment on column mempool.tx_hash is 'canton-middleware: hash of the Ethereum transaction, 32 bytes; the command id on the ledger';
comment on column mempool.from_address is 'canton-middleware: sender, EIP-55; by value, it is the lane';
comment on column mempool.contract_address is 'canton-middleware: token contract, EIP-55';
comment on column mempool.recipient_address is 'canton-middleware: receiver, EIP-55';
comment on column mempool.nonce is 'canton-middleware: the sender''s order';
comment on column mempool.input is 'canton-middleware: call data';
comment on column mempool.amount_data is 'canton-middleware: amount, big-endian bytes, empty for 0';
comment on column mempool.status is 'canton-middleware: pending (claimed rows too), completed, failed, mined';
comment on column mempool.error_message is 'canton-middleware: the final reason that a wallet sees';
comment on column mempool.created_at is 'canton-middleware: arrival';
comment on column mempool.updated_at is 'canton-middleware: last change of the outcome';
comment on column mempool.available_at is 'not before this: arrival, end of a backoff, infinity = parked; a claim leaves it alone';
comment on column mempool.claim_token is 'fencing token of the current attempt; every write of the holder names it';
comment on column mempool.claimed_by is 'who holds it: instance and process';
comment on column mempool.claimed_at is 'since when it is held';
comment on column mempool.lease_expires_at is 'until when it is held; renewals touch this alone, and no index knows it';
comment on column mempool.released_token is 'token of the last attempt that gave the row back: tells a lost acknowledgement from a lost claim';
comment on column mempool.attempts is 'attempts that reached the ledger or judged the row; parked when used up';
comment on column mempool.last_error is 'why it last came back or failed, for people: CODE: detail';
comment on column mempool.sent_from is 'record of what may be on its way: a ledger end known before it was sent';
comment on column mempool.sent_until is 'record: the ledger refuses it after this record time, infinity = unknown; not null says undecided';
comment on column mempool.submission_id is 'record: submission id, null for a submission that we do not remember';
comment on column mempool.submission_party is 'record: the party it was sent for';
comment on column mempool.submission_hash is 'record: hash of the prepared transaction (external parties)';
comment on column mempool.hashing_scheme is 'record: version of that hash';
comment on column mempool.sent_on is 'record: number of the pinned participant it was sent on';
comment on column mempool.sent_by is 'record: the ledger user who may have sent it, where that was the submitter before ours';
comment on column mempool.same_nonce_ok is 'a person has let it be paid although another hash has used its nonce';
comment on column mempool.update_id is 'the ledger''s update that did the transfer';
comment on column mempool.completion_offset is 'offset of its completion on the participant';

-- @step function: an address by value: in lower case, without 0x. Its body is bound when it is made, so no search_path changes it
create or replace function mempool_address_v1(address text) returns text language sql immutable parallel safe
  return case when pg_catalog.left(address, 2) in ('0x', '0X') then pg_catalog.substr(pg_catalog.lower(address), 3)
    else pg_catalog.lower(address) end;

-- @step function: a lane is a sender by value, as a hash: one bigint for index and lock
create or replace function mempool_sender_v1(address text) returns bigint language sql immutable parallel safe
  return pg_catalog.hashtextextended(mempool_address_v1(address), 0::bigint);

-- Every index of mempool is partial: small whatever the table's history.
-- @step index mempool_fresh_v1: waiting rows, oldest first; rows in flight and undecided rows are not in it, so they cost a claim nothing
create index concurrently if not exists mempool_fresh_v1 on mempool (available_at, id)
  where status = 'pending' and claim_token is null and sent_until is null;
-- @step index mempool_undecided_v1: waiting rows whose submission may still commit, for looks
create index concurrently if not exists mempool_undecided_v1 on mempool (available_at, id)
  where status = 'pending' and claim_token is null and sent_until is not null;
-- @step index mempool_lane_v2 lanes=sender: the first entry of a lane is its head: lowest undecided, else lowest; parked steps aside
create index concurrently if not exists mempool_lane_v2 on mempool (mempool_sender_v1(from_address), (sent_until is null), nonce, id)
  where status = 'pending' and available_at < 'infinity';
-- @step index mempool_claimed_lane_v2 lanes=sender: I6 as a constraint: one claim of a lane, whoever writes it; what rescue scans
create unique index concurrently if not exists mempool_claimed_lane_v2 on mempool (mempool_sender_v1(from_address))
  where status = 'pending' and claim_token is not null;
-- @step index mempool_claimed_v1 lanes=off: rows in flight; what rescue scans
create index concurrently if not exists mempool_claimed_v1 on mempool (id)
  where status = 'pending' and claim_token is not null;
-- @step index mempool_reasons_v1: failures, for the status page
create index concurrently if not exists mempool_reasons_v1 on mempool (updated_at) where error_message is not null;
-- @step index mempool_nonce_v1 same_nonce=park: the nonces that a sender has used, or may have
create index concurrently if not exists mempool_nonce_v1 on mempool (mempool_sender_v1(from_address), nonce)
  where (status in ('completed', 'mined') and error_message is null) or (status = 'pending' and sent_until is not null);
-- @step index users_address_v1: a user by its address, however that is spelled
create index concurrently if not exists users_address_v1 on users (mempool_address_v1(evm_address));

-- The functions. Each query in them has a snapshot of its own, younger than the locks taken before it. Plan settings:
-- the plans must be the index scans whatever the statistics said when they were made. lock_timeout: a lock that
-- somebody keeps on the table may not pile up waiting backends of callers that have long given up. search_path: the one
-- of the migration, which is the schema of the tables alone; a caller's could put other functions before ours.
-- row_security: a row that a policy hides would be lost in silence; switched off, Postgres refuses instead.

-- @step function: what all of this was proven under. In a snapshot older than its locks a claim would overlook another
create or replace function mempool_proven_v1() returns void language plpgsql volatile set search_path from current as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'canton-submitter needs READ COMMITTED, and this session runs %', current_setting('transaction_isolation')
      using errcode = 'feature_not_supported', hint = 'see default_transaction_isolation of the role and of the database';
  end if;
end $$;

-- @step function: lanes of the oldest (or newest) waiting rows, in that order, a lane as often as it has rows there
-- The oldest are looked for from p_from on: before it lie the entries of rows that have ended, which nothing can clear
-- away while somebody keeps an old snapshot open.
drop function if exists mempool_waiting_lanes_v1(boolean, boolean, int);
create or replace function mempool_waiting_lanes_v1(
  p_look boolean, p_newest boolean, p_limit int, p_from timestamptz, out lanes bigint[], out oldest timestamptz
) language plpgsql volatile set search_path from current as $$
begin
  if not p_look and not p_newest then
    select array_agg(w.lane), min(w.available_at) into lanes, oldest from (
      select mempool_sender_v1(m.from_address) as lane, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null
         and m.available_at >= p_from and m.available_at <= now()
       order by m.available_at, m.id limit p_limit) w;
  elsif not p_look then
    select array_agg(w.lane) into lanes from (
      select mempool_sender_v1(m.from_address) as lane from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null and m.available_at <= now()
       order by m.available_at desc, m.id desc limit p_limit) w;
  elsif not p_newest then
    select array_agg(w.lane), min(w.available_at) into lanes, oldest from (
      select mempool_sender_v1(m.from_address) as lane, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
         and m.available_at >= p_from and m.available_at <= now()
       order by m.available_at, m.id limit p_limit) w;
  else
    select array_agg(w.lane) into lanes from (
      select mempool_sender_v1(m.from_address) as lane from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null and m.available_at <= now()
       order by m.available_at desc, m.id desc limit p_limit) w;
  end if;
  lanes := coalesce(lanes, '{}');
end $$;

-- @step function: the next lanes round the ring, one index descent a lane. A turn that the caller advances by the golden ratio covers the ring evenly
create or replace function mempool_ring_lanes_v1(p_turn bigint, p_steps int) returns bigint[]
language plpgsql volatile set search_path from current as $$
begin
  return array(
    with recursive ring as (
      select 0 as step, p_turn as lane, false as wrapped
      union all
      select r.step + 1, x.lane, x.wrapped from ring r cross join lateral (
        (select mempool_sender_v1(m.from_address) as lane, r.wrapped from mempool m
          where m.status = 'pending' and m.available_at < 'infinity' and mempool_sender_v1(m.from_address) > r.lane
          order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id limit 1)
        union all
        (select mempool_sender_v1(m.from_address), true from mempool m
          where not r.wrapped and m.status = 'pending' and m.available_at < 'infinity'
          order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id limit 1)
        limit 1) x
       where r.step < p_steps and not (x.wrapped and x.lane > p_turn)
    )
    select ring.lane from ring where ring.step > 0);
end $$;

-- @step function: which database answers (P20). Null where this role, or this server, may not be asked
do $$ begin
  -- It once returned less.
  if exists (select from pg_proc p where p.oid = to_regproc('mempool_database_v1') and not 'table_oid' = any (p.proargnames)) then
    drop function mempool_database_v1;
  end if;
end $$;
create or replace function mempool_database_v1(
  out database_id text, out timeline text, out database_oid bigint, out table_oid bigint
) language plpgsql volatile set search_path from current as $$
begin
  begin
    database_id := (pg_control_system()).system_identifier::text;
  exception when insufficient_privilege or feature_not_supported or undefined_function then
  end;
  begin
    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  -- The last one: a standby, which writes no log of its own.
  exception when insufficient_privilege or feature_not_supported or undefined_function or object_not_in_prerequisite_state then
  end;
  database_oid := (select d.oid::bigint from pg_database d where d.datname = current_database());
  table_oid := 'mempool'::regclass::oid::bigint;
end $$;

-- @step function: is this another database than the pinned one, or an earlier self of it (P20)? Only what could be pinned is asked for
create or replace function mempool_moved_v1(p_pin mempool_submitter_v1) returns boolean
language plpgsql volatile set search_path from current as $$
declare
  v_asked text;
begin
  if p_pin.timeline is not null then
    if p_pin.timeline <> left(pg_walfile_name(pg_current_wal_lsn()), 8) then return true; end if;
  end if;
  if p_pin.table_oid is not null and p_pin.table_oid <> 'mempool'::regclass::oid::bigint then return true; end if;
  -- A session never changes its cluster nor its database, and the first call reads a file, which costs 4 to 10 % of a
  -- claim: once a session each.
  if p_pin.database_id is not null then
    v_asked := nullif(current_setting('mempool_submitter.database_id', true), '');
    if v_asked is null then
      v_asked := (pg_control_system()).system_identifier::text;
      perform set_config('mempool_submitter.database_id', v_asked, false);
    end if;
    if p_pin.database_id <> v_asked then return true; end if;
  end if;
  if p_pin.database_oid is not null then
    v_asked := nullif(current_setting('mempool_submitter.database_oid', true), '');
    if v_asked is null then
      v_asked := (select d.oid::text from pg_database d where d.datname = current_database());
      perform set_config('mempool_submitter.database_oid', v_asked, false);
    end if;
    if p_pin.database_oid::text <> v_asked then return true; end if;
  end if;
  return false;
end $$;

-- @step function: nothing may be claimed or sent on what was checked before (I1, P20): other pins, halted, or another database
create or replace function mempool_stale_v1(p_pin mempool_submitter_v1, p_generation bigint) returns boolean
language plpgsql volatile set search_path from current as $$
begin
  return p_pin.generation is distinct from p_generation or p_pin.halted is not null or mempool_moved_v1(p_pin);
end $$;

-- @step function: the claim (I1, I6). Fresh rows, or with p_look undecided ones; always at least one row, for the database's time
do $$ begin
  -- It once took and returned less, and once returned more.
  if exists (select from pg_proc p where p.oid = to_regproc('mempool_claim_v1')
      and ('last_error' = any (p.proargnames) or not 'low_water' = any (p.proargnames))) then
    drop function mempool_claim_v1;
  end if;
end $$;
create or replace function mempool_claim_v1(
  p_look boolean, p_generation bigint, p_holder text, p_limit int, p_lease_ms float8, p_turn bigint,
  p_sent_from bigint, p_window_ms float8, p_low_water float8 default null
) returns table (
  answer text, db_now float8, low_water float8, id bigint, tx_hash bytea, from_address text, contract_address text,
  recipient_address text, nonce bigint, amount_data bytea, created_at float8, claim_token uuid, attempts int,
  sender_kind text, sender_party text, sender_key text, recipient_party text, nonce_shared boolean,
  sent_from bigint, sent_until float8, submission_id text, submission_party text,
  submission_hash bytea, hashing_scheme int, sent_on int, sent_by text
) language plpgsql volatile
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set lock_timeout = '2s' set row_security = off set search_path from current
as $$
#variable_conflict use_column
declare
  v_pin mempool_submitter_v1;
  v_window int := 2 * p_limit + 16;
  v_lanes bigint[];         -- of the rows below; null where lanes are off
  v_ids bigint[] := '{}';
  v_seen bigint[];
  v_found bigint[];
  v_more bigint[];
  v_from timestamptz := coalesce(to_timestamp(p_low_water / 1000), '-infinity');
  v_oldest timestamptz;     -- of what waits: before it lie rows that have ended
begin
  perform mempool_proven_v1();
  db_now := floor(extract(epoch from now()) * 1000);
  -- A change of pins holds a stronger lock: after this it is either seen below or comes after us.
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  if mempool_stale_v1(v_pin, p_generation) then
    answer := 'stale';
    return next;
    return;
  end if;

  if v_pin.lanes = 'sender' then
    v_lanes := '{}';
    for v_stage in 1 .. 3 loop
      -- Oldest first. A hot sender may fill that window: then lanes round the ring, so that nobody waits behind it,
      -- then the newest rows, so that a new sender need not wait for its place on the ring.
      case v_stage
        when 1 then
          select w.lanes, w.oldest into v_seen, v_oldest from mempool_waiting_lanes_v1(p_look, false, v_window, v_from) w;
        when 2 then v_seen := mempool_ring_lanes_v1(p_turn, p_limit + 16);
        else v_seen := (select w.lanes from mempool_waiting_lanes_v1(p_look, true, 16, v_from) w);
      end case;
      -- The heads of these lanes that wait and are due. The lane's lock is tried last and never waited for; it is
      -- behind `offset 0`, or the planner would take locks before it looks at heads.
      select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.lane), '{}') into v_found, v_more from (
        select d.id, d.lane from (
          select h.id, l.lane
            from (select u.lane, min(u.nr) as nr from unnest(v_seen) with ordinality u(lane, nr)
                   where u.lane <> all (v_lanes) group by u.lane order by 2) l
           cross join lateral (
             select m.id, m.available_at, m.claim_token, m.sent_until from mempool m
              where m.status = 'pending' and m.available_at < 'infinity' and mempool_sender_v1(m.from_address) = l.lane
              order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id limit 1) h
           where h.claim_token is null and h.available_at <= now() and (h.sent_until is not null) = p_look
          offset 0) d
         where pg_try_advisory_xact_lock(d.lane)
         limit p_limit - cardinality(v_ids)) c;
      v_ids := v_ids || v_found;
      v_lanes := v_lanes || v_more;
      exit when cardinality(v_ids) >= p_limit or (v_stage = 1 and cardinality(v_seen) < v_window);
    end loop;
  elsif p_look then
    select coalesce(array_agg(w.id), '{}'), min(w.available_at) into v_ids, v_oldest from (
      select m.id, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
         and m.available_at >= v_from and m.available_at <= now()
       order by m.available_at, m.id limit p_limit for update skip locked) w;
  else
    select coalesce(array_agg(w.id), '{}'), min(w.available_at) into v_ids, v_oldest from (
      select m.id, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null
         and m.available_at >= v_from and m.available_at <= now()
       order by m.available_at, m.id limit p_limit for update skip locked) w;
  end if;
  low_water := floor(extract(epoch from coalesce(v_oldest, now())) * 1000);

  if v_pin.lanes = 'sender' then
    -- The updates below would wait for a row that somebody keeps locked, and all other senders with them. What they
    -- skipped may not be claimed either (I4), so all is locked before. Without lanes it is by now.
    select coalesce(array_agg(l.id), '{}'), coalesce(array_agg(l.lane), '{}') into v_ids, v_lanes from (
      select m.id, u.lane from unnest(v_ids, v_lanes) u(id, lane) join mempool m on m.id = u.id
       where m.status = 'pending' and m.claim_token is null
         for update of m skip locked) l;
  end if;
  if cardinality(v_ids) > 0 then
    -- I4: a hash that has ended is never claimed, whatever brought its row back: an insert that did not see the end yet,
    -- rows copied from an archive.
    update mempool m
       set status = e.status, error_message = e.error_message, update_id = e.update_id, updated_at = now(),
           sent_from = null, sent_until = null, submission_id = null, submission_party = null, submission_hash = null,
           hashing_scheme = null, sent_on = null, sent_by = null, lease_expires_at = null
      from mempool_ended_v1 e
     where m.id = any (v_ids) and e.tx_hash = m.tx_hash and m.status = 'pending' and m.claim_token is null;
    if v_pin.same_nonce = 'park' and not p_look then
      for id, tx_hash in
        update mempool m
           set available_at = 'infinity', updated_at = now(),
               last_error = 'SAME_NONCE: nonce ' || m.nonce || ' of this sender was used, or may have been, by 0x' || encode(s.tx_hash, 'hex')
          from mempool c cross join lateral (
            select x.tx_hash from mempool x
             where ((x.status in ('completed', 'mined') and x.error_message is null) or (x.status = 'pending' and x.sent_until is not null))
               and mempool_sender_v1(x.from_address) = mempool_sender_v1(c.from_address) and x.nonce = c.nonce and x.id <> c.id
             limit 1) s
         where c.id = any (v_ids) and not c.same_nonce_ok and m.id = c.id and m.status = 'pending' and m.claim_token is null
           and m.available_at <= now()
        returning m.id, m.tx_hash
      loop
        answer := 'parked';
        return next;
      end loop;
      id := null;
      tx_hash := null;
    end if;
    return query
    -- This query's snapshot is younger than the lane locks, so it sees the claim of whoever held a lane before us;
    -- and the predicates stand here, at the locking level, where READ COMMITTED looks at them again (P9).
    with free as materialized (
      select m.id, m.from_address, m.recipient_address, m.nonce, u.lane
        from unnest(v_ids, v_lanes) u(id, lane) join mempool m on m.id = u.id
       where m.status = 'pending' and m.claim_token is null and m.available_at <= now()
         and (m.sent_until is not null) = p_look
         and (u.lane is null or (select c.id from mempool c
           where c.status = 'pending' and c.claim_token is not null and mempool_sender_v1(c.from_address) = u.lane
           limit 1) is null)
         for update of m skip locked
    ), taken as materialized (
      -- The token is made here, once a row: written out twice it would be two.
      select f.id, gen_random_uuid() as token, s.party, s.key, r.party as recipient,
             f.lane is not null and exists (select from mempool x
               where x.status = 'pending' and x.available_at < 'infinity' and mempool_sender_v1(x.from_address) = f.lane
                 and (x.sent_until is null) = true and x.nonce = f.nonce and x.id <> f.id) as shared,
             case when s.party is null then 'unknown' when s.key is not null then 'external'
                  when s.key_mode = 'external' then 'keyless' else 'hosted' end as kind
        from free f
        left join lateral (
          select coalesce(nullif(a.canton_party_id, ''), nullif(a.canton_party, '')) as party, a.key_mode,
                 nullif(a.canton_private_key_encrypted, '') as key
            from users a where mempool_address_v1(a.evm_address) = mempool_address_v1(f.from_address)
           order by (a.evm_address = f.from_address) desc, a.id limit 1) s on true
        left join lateral (
          select coalesce(nullif(b.canton_party_id, ''), nullif(b.canton_party, '')) as party
            from users b where mempool_address_v1(b.evm_address) = mempool_address_v1(f.recipient_address)
           order by (b.evm_address = f.recipient_address) desc, b.id limit 1) r on true
    ), own as materialized (
      -- The record of a hosted sender comes with the claim (rule 1): durable before anything is sent, for no round trip.
      select t.*, not p_look and t.kind = 'hosted' as writes from taken t
    )
    update mempool m
       set claim_token = o.token, claimed_by = p_holder, claimed_at = now(),
           lease_expires_at = now() + p_lease_ms * interval '1 ms',
           attempts = m.attempts + case when p_look then 0 else 1 end,
           sent_from = case when o.writes then p_sent_from else m.sent_from end,
           sent_until = case when o.writes
             then date_trunc('milliseconds', now() + (p_window_ms + v_pin.tolerance_ms) * interval '1 ms')
             else m.sent_until end,
           submission_id = case when o.writes then o.token::text else m.submission_id end,
           submission_party = case when o.writes then o.party else m.submission_party end,
           sent_on = case when o.writes then v_pin.sent_on else m.sent_on end,
           sent_by = case when o.writes then null else m.sent_by end
      from own o where m.id = o.id
    -- Cast: that a column is a varchar somewhere is no reason to fail.
    returning 'row'::text, db_now, low_water, m.id, m.tx_hash, m.from_address::text, m.contract_address::text,
      m.recipient_address::text, m.nonce, m.amount_data, floor(extract(epoch from m.created_at) * 1000)::float8,
      m.claim_token, m.attempts,
      o.kind, o.party::text, case when o.kind = 'external' then o.key::text end, o.recipient::text, o.shared,
      m.sent_from, (extract(epoch from m.sent_until) * 1000)::float8, m.submission_id, m.submission_party,
      m.submission_hash, m.hashing_scheme, m.sent_on, m.sent_by;
    if found then
      perform mempool_synced_v1();
      return;
    end if;
  end if;
  answer := 'none';
  return next;
end $$;

-- @step function: this transaction's commit is flushed, whatever the database's or the role's setting is (P19)
create or replace function mempool_synced_v1() returns void language plpgsql volatile set search_path from current as $$
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end $$;

-- @step function: the write-ahead (I4): the record, fenced, durable before the request leaves
-- It once took another argument.
drop function if exists mempool_write_ahead_v1(bigint, bigint, uuid, boolean, bigint, timestamptz, text, text, int);
create or replace function mempool_write_ahead_v1(
  p_generation bigint, p_id bigint, p_token uuid, p_sent_from bigint, p_sent_until timestamptz,
  p_submission_id text, p_party text, p_hash bytea, p_scheme int, p_sent_on int
) returns text language plpgsql volatile
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set lock_timeout = '2s' set row_security = off set search_path from current
as $$
declare
  v_pin mempool_submitter_v1;
begin
  perform mempool_proven_v1();
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  if mempool_stale_v1(v_pin, p_generation) then return 'stale'; end if;
  update mempool m
     set sent_from = p_sent_from, sent_until = p_sent_until, submission_id = p_submission_id, submission_party = p_party,
         submission_hash = p_hash, hashing_scheme = p_scheme, sent_on = p_sent_on, sent_by = null
   where m.id = p_id and m.claim_token = p_token and m.status = 'pending';
  if not found then return 'fenced'; end if;
  perform mempool_synced_v1();
  return 'written';
end $$;

-- @step function: settle (I2): locked in order of id, so that settlers do not deadlock; fenced by token and status. p_waits: null = as it is, Infinity = park, else ms
-- It once took less; that one stays until the pin, below.
create or replace function mempool_settle_v1(
  p_wait_for_locks boolean, p_ids bigint[], p_tokens uuid[], p_generations bigint[], p_bounds float8[], p_kinds text[],
  p_update_ids text[], p_offsets bigint[], p_messages text[], p_errors text[], p_clears boolean[], p_waits float8[],
  p_counts int[]
) returns table (id bigint, lane_waits boolean, refused text) language plpgsql volatile
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set lock_timeout = '1s' set row_security = off set search_path from current
as $$
#variable_conflict use_column
declare
  v_pin mempool_submitter_v1;
  v_lanes boolean;
  v_moved boolean;
  v_ids bigint[];
  v_refused bigint[] := '{}';
  v_reasons text[];
begin
  perform mempool_proven_v1();
  -- The table before its rows, here and wherever rows are locked: whoever changes pins takes them in this order too.
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  v_lanes := v_pin.lanes = 'sender';
  if p_wait_for_locks then
    v_ids := array(select m.id from mempool m where m.id = any (p_ids) order by m.id for update);
  else
    v_ids := array(select m.id from mempool m where m.id = any (p_ids) order by m.id for update skip locked);
  end if;
  -- I4, I5: an end that was concluded from bounds, a death (p_bounds: of a record that was looked up) or "failed", counts
  -- under the pins that its claim was checked against alone, while nobody has halted, and while the bound is what it was.
  -- P20: whoever was paused before a failover may find its token alive again, and a later claim's success forgotten.
  if 'failed' = any (p_kinds) or exists (select from unnest(p_bounds) b where b is not null) then
    v_moved := mempool_moved_v1(v_pin);
    select coalesce(array_agg(r.id), '{}'), array_agg(r.why) into v_refused, v_reasons from (
      select m.id, case when v_pin.halted is not null then 'claims were halted meanwhile'
             when v_moved then 'the database is not the one that was pinned'
             when s.generation is distinct from v_pin.generation then 'the pins were changed meanwhile'
             when s.kind = 'pending' and s.bound is distinct from (extract(epoch from m.sent_until) * 1000)::float8
               then 'its bound was moved meanwhile' end as why
        from unnest(p_ids, p_tokens, p_generations, p_bounds, p_kinds, p_clears) s(id, token, generation, bound, kind, clear)
        join mempool m on m.id = s.id
       where m.id = any (v_ids) and m.claim_token = s.token and m.status = 'pending'
         and (s.kind = 'failed' or (s.kind = 'pending' and s.clear and s.bound is not null))) r
     where r.why is not null;
    return query select r.id, false, r.why from unnest(v_refused, v_reasons) r(id, why);
  end if;
  return query
  update mempool m
     set status = case when s.final then s.kind else m.status end,
         update_id = coalesce(s.update_id, m.update_id),
         completion_offset = coalesce(s.completion_offset, m.completion_offset),
         error_message = coalesce(s.message, m.error_message),
         last_error = coalesce(s.error, m.last_error),
         claim_token = case when s.final then m.claim_token end,
         claimed_by = case when s.final then m.claimed_by end,
         claimed_at = case when s.final then m.claimed_at end,
         released_token = case when s.final then m.released_token else s.token end,
         lease_expires_at = null,
         -- Nothing here un-parks: a row parked by hand while it was in flight stays parked.
         available_at = case when s.wait is null or m.available_at = 'infinity' then m.available_at
           when s.wait = 'Infinity' then 'infinity' else now() + s.wait * interval '1 ms' end,
         attempts = greatest(m.attempts + s.counted, 0),
         sent_from = case when s.clear then null else m.sent_from end,
         sent_until = case when s.clear then null else m.sent_until end,
         submission_id = case when s.clear then null else m.submission_id end,
         submission_party = case when s.clear then null else m.submission_party end,
         submission_hash = case when s.clear then null else m.submission_hash end,
         hashing_scheme = case when s.clear then null else m.hashing_scheme end,
         sent_on = case when s.clear then null else m.sent_on end,
         sent_by = case when s.clear then null else m.sent_by end,
         updated_at = now()
    from (select u.*, u.kind in ('completed', 'failed') as final
            from unnest(p_ids, p_tokens, p_kinds, p_update_ids, p_offsets, p_messages, p_errors, p_clears, p_waits, p_counts)
              u(id, token, kind, update_id, completion_offset, message, error, clear, wait, counted)) s
   where m.id = s.id and m.id = any (v_ids) and m.id <> all (v_refused) and m.claim_token = s.token and m.status = 'pending'
  -- Whether the settler may claim the sender's next at once: one probe of the lane.
  returning m.id, v_lanes and exists (
    select from mempool x where x.status = 'pending' and x.available_at < 'infinity'
       and mempool_sender_v1(x.from_address) = mempool_sender_v1(m.from_address) and x.id <> m.id), null::text;
end $$;

-- @step function: renew leases (I1): touches lease_expires_at alone, so that it is a HOT update
create or replace function mempool_renew_v1(p_wait_for_locks boolean, p_tokens uuid[], p_lease_ms float8)
returns setof uuid language plpgsql volatile
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set lock_timeout = '1s' set row_security = off set search_path from current
as $$
declare
  v_ids bigint[];
begin
  perform mempool_proven_v1();
  lock table mempool in row exclusive mode;
  if p_wait_for_locks then
    v_ids := array(select m.id from mempool m
      where m.status = 'pending' and m.claim_token is not null and m.claim_token = any (p_tokens)
      order by m.id for update);
  else
    v_ids := array(select m.id from mempool m
      where m.status = 'pending' and m.claim_token is not null and m.claim_token = any (p_tokens)
      order by m.id for update skip locked);
  end if;
  return query
  update mempool m set lease_expires_at = now() + p_lease_ms * interval '1 ms'
   where m.id = any (v_ids)
  returning m.claim_token;
end $$;

-- @step function: rescue (I3): takes the token off claims whose lease ran out; a record stays. Never waits
create or replace function mempool_rescue_v1(p_limit int) returns setof bigint language plpgsql volatile
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set lock_timeout = '2s' set row_security = off set search_path from current
as $$
declare
  v_ids bigint[];
begin
  perform mempool_proven_v1();
  lock table mempool in row exclusive mode;
  v_ids := array(select m.id from mempool m
    where m.status = 'pending' and m.claim_token is not null and coalesce(m.lease_expires_at, '-infinity') <= now()
    limit p_limit for update skip locked);
  return query
  update mempool m set claim_token = null, claimed_by = null, claimed_at = null, lease_expires_at = null
   where m.id = any (v_ids)
  returning m.id;
end $$;

-- @step after=pin: the settle of an earlier build. Until the pin stops them, its instances have outcomes to write with it
drop function if exists mempool_settle_v1(boolean, bigint[], uuid[], text[], text[], bigint[], text[], text[], boolean[], float8[], int[]);

-- @step after=pin: room on the page for renewals (HOT), and vacuum for a table whose rows change a few times, then never again
alter table mempool set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
