-- The tables of canton-submitter: canton-middleware's `mempool` with our columns, the pinned row, what is remembered and
-- audited, and the indexes. `canton-submitter migrate` applies it, then protocol.sql (the functions that keep money) and
-- triggers.sql (the doorbell and the guard); every step may run again. What instances of two versions share ends in _v1: a
-- new meaning gets a new name.

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

-- @step after=pin: room on the page for renewals (HOT), and vacuum for a table whose rows change a few times, then never again
alter table mempool set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
