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
  lanes text not null check (lanes in ('sender', 'holdings', 'off')),
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
comment on table mempool_submitter_v1 is 'canton-submitter: one row, what all instances agree on. Written by migrate and by the first instance that connects. Pins change under a lock on mempool and raise the generation; marks only move forward';
comment on column mempool_submitter_v1.one is 'always true, so that there is only one row';
comment on column mempool_submitter_v1.protocol is 'an instance that speaks another protocol claims nothing';
comment on column mempool_submitter_v1.generation is 'raised by every change of a pin; every claim and write-ahead names the generation that it checked';
comment on column mempool_submitter_v1.lanes is 'sender: one transfer in flight per sender, in nonce order; holdings: several, begun in nonce order, none of which spends what another does; off: no such limit';
comment on column mempool_submitter_v1.tolerance_ms is 'ledgerTimeRecordTimeTolerance of the synchronizer, part of every hosted bound';
comment on column mempool_submitter_v1.clock_skew_max_ms is 'how far the clocks of database and ledger may differ, part of the bound of an unknown record';
comment on column mempool_submitter_v1.participant_id is 'the one participant that sends; null until the first instance connects';
comment on column mempool_submitter_v1.user_id is 'the ledger user, part of every change id; null until the first instance connects';
comment on column mempool_submitter_v1.synchronizer_id is 'the synchronizer whose record time decides bounds; null until the first instance connects';
comment on column mempool_submitter_v1.sent_on is 'number of the pinned participant, raised by every repin and copied into every record';
comment on column mempool_submitter_v1.ledger_end is 'mark: highest ledger end that any instance has seen';
comment on column mempool_submitter_v1.mark_offset is 'mark: offset of a completion that the pinned participant has shown';
comment on column mempool_submitter_v1.mark_update_id is 'mark: update id of that completion';
comment on column mempool_submitter_v1.mark_party is 'mark: a party that can see that completion';
comment on column mempool_submitter_v1.table_options_before is 'storage parameters that mempool had before, for migrate --down';
comment on column mempool_submitter_v1.pinned_at is 'when a pin last changed';

-- @step the pinned row, continued: which database it was pinned in, whether claims are halted, the last recheck
alter table mempool_submitter_v1
  add column if not exists database_id text,
  add column if not exists timeline text,
  add column if not exists halted text,
  add column if not exists recheck_from bigint,
  add column if not exists recheck_until timestamptz,
  add column if not exists recheck_at timestamptz
    check (num_nulls(recheck_from, recheck_until, recheck_at) in (0, 3));
comment on column mempool_submitter_v1.database_id is 'system identifier of the cluster, given at initdb; null where it may not be asked for. In a database with another one nothing is claimed';
comment on column mempool_submitter_v1.timeline is 'timeline of the write-ahead log, which every promotion and point-in-time restore changes; null where it may not be asked for. On another one nothing is claimed';
comment on column mempool_submitter_v1.halted is 'why claims are halted, until a person acts (migrate --tolerance); null: they are not';
comment on column mempool_submitter_v1.recheck_from is 'after a failover or restore: the ledger end that was pinned before it. What was lost from the database happened after it';
comment on column mempool_submitter_v1.recheck_until is 'what was sent before the recheck cannot be accepted after this record time';
comment on column mempool_submitter_v1.recheck_at is 'when the recheck was done; it is in force for seven days';

-- @step the pinned row, continued: what tells this database from a copy of it, and what a person has decided
alter table mempool_submitter_v1
  add column if not exists database_oid bigint,
  add column if not exists table_oid bigint,
  add column if not exists halted_above_ms int,
  add column if not exists other_marks jsonb not null default '[]',
  add column if not exists same_nonce text not null default 'pay' check (same_nonce in ('pay', 'park')),
  add column if not exists old_user text,
  add column if not exists scheme_in_force int;
comment on column mempool_submitter_v1.database_oid is 'oid of the database: different in a dump that was restored under the same name';
comment on column mempool_submitter_v1.table_oid is 'oid of mempool: different after the table was dropped and made again; 0 after a truncate';
comment on column mempool_submitter_v1.halted_above_ms is 'the lowest tolerance that would have kept the broken bound; a lower one does not end the halt';
comment on column mempool_submitter_v1.other_marks is 'marks of other parties than mark_party, newest first: one of them proves the participant where the first cannot';
comment on column mempool_submitter_v1.same_nonce is 'what happens to a row whose sender and nonce another hash has used: pay or park';
comment on column mempool_submitter_v1.scheme_in_force is 'the hashing scheme under which external senders'' transfers were last signed, for status; null: none were yet';
comment on column mempool_submitter_v1.old_user is 'ledger user of the old submitter, under which its leftovers are looked up; null: the same as ours';

-- @step the pinned row, continued: an earlier build knew two kinds of lanes
do $$ begin
  if exists (select from pg_constraint where conrelid = 'mempool_submitter_v1'::regclass
      and conname = 'mempool_submitter_v1_lanes_check' and pg_get_constraintdef(oid) not like '%holdings%') then
    alter table mempool_submitter_v1 drop constraint mempool_submitter_v1_lanes_check,
      add constraint mempool_submitter_v1_lanes_check check (lanes in ('sender', 'holdings', 'off'));
  end if;
end $$;

-- @step the memory (I4): hashes that have ended, kept when their rows are deleted
create table if not exists mempool_ended_v1 (
  tx_hash bytea primary key,
  status text not null check (status in ('completed', 'failed', 'mined')),
  error_message text,
  update_id text,
  ended_at timestamptz not null
);
comment on table mempool_ended_v1 is 'canton-submitter: transactions that have ended and whose row is gone. A new row of such a hash is answered from here and never claimed, since it would be paid again. Nothing is ever removed';
comment on column mempool_ended_v1.tx_hash is 'hash of the Ethereum transaction';
comment on column mempool_ended_v1.status is 'status of the row when it was deleted';
comment on column mempool_ended_v1.error_message is 'why it failed, as a wallet saw it';
comment on column mempool_ended_v1.update_id is 'the ledger''s update that made the transfer';
comment on column mempool_ended_v1.ended_at is 'when the row last changed';

-- @step the audit: what people, or instances on their behalf, decided about the whole table or against a record
create table if not exists mempool_submitter_audit_v1 (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  by_role text not null default current_user,
  by_application text not null default current_setting('application_name'),
  action text not null,
  tx_hash bytea,
  change jsonb not null
);
comment on table mempool_submitter_audit_v1 is 'canton-submitter: one entry for each decision that cannot be seen in a row. Nothing is ever removed';
comment on column mempool_submitter_audit_v1.id is 'order of the entries';
comment on column mempool_submitter_audit_v1.at is 'time of the decision';
comment on column mempool_submitter_audit_v1.by_role is 'the database role that made it';
comment on column mempool_submitter_audit_v1.by_application is 'the application_name that made it: the instance, or the command';
comment on column mempool_submitter_audit_v1.action is 'recheck, halt, tolerance, pins, repin, remark, down, completed, force-new, replay, fail, park, pause, resume';
comment on column mempool_submitter_audit_v1.tx_hash is 'the row that it is about; null: the whole table';
comment on column mempool_submitter_audit_v1.change is 'what was changed, and what was cleared by it';

-- @step the audit, continued: which person, and why
alter table mempool_submitter_audit_v1
  add column if not exists by_person text,
  add column if not exists reason text;
comment on column mempool_submitter_audit_v1.by_person is 'who ran the command, as user@host of the machine it ran on, or whom the admin page had to do with; null: an instance by itself, or not known';
comment on column mempool_submitter_audit_v1.reason is 'why, in the person''s own words';

-- @step the fleet: one row for each start of an instance, which it writes anew every few seconds. No index but the key, and
-- room on each page, so that this is a HOT update
create table if not exists mempool_instances_v1 (
  holder text primary key,
  instance text not null,
  version text not null,
  protocol int not null,
  settings jsonb not null,
  lease_ms float8 not null,
  beat_ms float8 not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  stopped_at timestamptz,
  ready boolean not null,
  ready_changed_at timestamptz not null default now(),
  blockers jsonb not null,
  submissions int not null,
  looks int not null,
  oldest_held_at timestamptz,
  ended_last_minute int not null,
  counters jsonb not null,
  lost_rows int not null default 0
) with (fillfactor = 50);
comment on table mempool_instances_v1 is 'canton-submitter: the instances and how they are, for status and the page. Nothing is decided by it. Rows are removed a day after their last heartbeat';
comment on column mempool_instances_v1.holder is 'one start of an instance, as in mempool.claimed_by';
comment on column mempool_instances_v1.instance is 'INSTANCE_ID';
comment on column mempool_instances_v1.version is 'version of the package that it runs';
comment on column mempool_instances_v1.protocol is 'the protocol that it speaks';
comment on column mempool_instances_v1.settings is 'its settings that matter to others; no secrets';
comment on column mempool_instances_v1.lease_ms is 'LEASE_MS: two thirds of it after its last heartbeat, and once its claims have run out, it counts as dead';
comment on column mempool_instances_v1.beat_ms is 'how often it writes this row';
comment on column mempool_instances_v1.started_at is 'its first heartbeat';
comment on column mempool_instances_v1.seen_at is 'its last heartbeat';
comment on column mempool_instances_v1.stopped_at is 'when it said that it has stopped; null: it has not';
comment on column mempool_instances_v1.ready is 'whether it claims, as /readyz has it';
comment on column mempool_instances_v1.ready_changed_at is 'since when it is ready, or is not';
comment on column mempool_instances_v1.blockers is 'why it is not ready, and what else is wrong: [{"part", "reason"}]';
comment on column mempool_instances_v1.submissions is 'rows that it has in its hands to send';
comment on column mempool_instances_v1.looks is 'rows that it is looking up';
comment on column mempool_instances_v1.oldest_held_at is 'since when it holds the oldest of these; null: it holds none';
comment on column mempool_instances_v1.ended_last_minute is 'rows that it completed or failed within the last minute';
comment on column mempool_instances_v1.counters is 'what it has done since its start';
comment on column mempool_instances_v1.lost_rows is 'rows that others took back from it after its leases had run out';

-- @step pauses: what no instance may claim, by a person's decision. Every claim reads it
create table if not exists mempool_pauses_v1 (
  scope text not null check (scope in ('all', 'token', 'sender')),
  address text not null check ((scope = 'all') = (address = '')),
  reason text not null,
  by_person text,
  since timestamptz not null default now(),
  primary key (scope, address)
);
comment on table mempool_pauses_v1 is 'canton-submitter: what is paused, written by the commands pause and resume. Rows of it wait; what is in flight ends, and undecided rows are looked up as always';
comment on column mempool_pauses_v1.scope is 'all: every row; token: rows of one token; sender: rows of one sender';
comment on column mempool_pauses_v1.address is 'of the token or the sender, in lower case and without 0x; empty for all';
comment on column mempool_pauses_v1.reason is 'why, in the words of whoever paused it';
comment on column mempool_pauses_v1.by_person is 'who paused it';
comment on column mempool_pauses_v1.since is 'since when';

-- @step the story of each row: what became of each attempt. Appended by the statements that settle, read by `show` and the page
create table if not exists mempool_attempts_v1 (
  row_id bigint not null,
  tx_hash bytea not null,
  kind text not null,
  number int not null,
  holder text,
  began_at timestamptz,
  ended_at timestamptz not null default now(),
  outcome text not null,
  error text,
  update_id text,
  completion_offset bigint,
  submission_id text,
  traffic_bytes bigint
);
comment on table mempool_attempts_v1 is 'canton-submitter: one entry for each attempt and each look that has ended. Nothing is decided by it. Old entries are removed by an instance (STORIES_KEPT_DAYS) and by `canton-submitter prune`';
comment on column mempool_attempts_v1.row_id is 'mempool.id';
comment on column mempool_attempts_v1.tx_hash is 'hash of the Ethereum transaction';
comment on column mempool_attempts_v1.kind is 'attempt: claimed to be sent; look: claimed to find out what became of an earlier submission; claim: set aside before that';
comment on column mempool_attempts_v1.number is 'mempool.attempts at that time: how often it had been tried, this attempt included';
comment on column mempool_attempts_v1.holder is 'which start of which instance, as in mempool_instances_v1';
comment on column mempool_attempts_v1.began_at is 'when it was claimed';
comment on column mempool_attempts_v1.ended_at is 'when the outcome was written';
comment on column mempool_attempts_v1.outcome is 'completed, failed, parked, retry (refused for now), released (not counted), undecided (it may still commit), dead (it never will), lost (the lease ran out)';
comment on column mempool_attempts_v1.error is 'why, as CODE: detail; null where there is nothing to say';
comment on column mempool_attempts_v1.update_id is 'the ledger''s update that made the transfer';
comment on column mempool_attempts_v1.completion_offset is 'offset of its completion';
comment on column mempool_attempts_v1.submission_id is 'submission id of its record, if it had one';
comment on column mempool_attempts_v1.traffic_bytes is 'what the ledger said that it cost, in bytes of traffic; null: it did not say';

-- @step stories have no key. In a publication for all tables their deletes would be refused without this: each names its whole row
do $$ begin
  if (select relreplident from pg_class where oid = 'mempool_attempts_v1'::regclass) <> 'f' then
    alter table mempool_attempts_v1 replica identity full;
  end if;
end $$;

-- @step the samples: the last hour, for the page. Written by each instance, and the queue (holder '') by one of them for all
create table if not exists mempool_samples_v1 (
  at timestamptz not null default clock_timestamp(),
  holder text not null,
  sample jsonb not null,
  primary key (at, holder)
);
comment on table mempool_samples_v1 is 'canton-submitter: what the page plots. Nothing is decided by it. Entries are removed after an hour';
comment on column mempool_samples_v1.at is 'when the sample ended';
comment on column mempool_samples_v1.holder is 'which start of which instance; empty: the queue, counted for the whole fleet';
comment on column mempool_samples_v1.sample is 'of an instance: what it did in the milliseconds "ms" before; of the queue: rows and age of the oldest by state, and how long the count took';

-- @step who may use the tables above. They have come later than the others, and the functions that use them serve instances
-- of an earlier build too: whoever may write the audit, which is what the service may, may use these
do $$
declare
  v_role text;
begin
  for v_role in
    select distinct a.grantee::regrole::text from pg_class c cross join lateral aclexplode(c.relacl) a
     where c.oid = 'mempool_submitter_audit_v1'::regclass and a.privilege_type = 'INSERT' and a.grantee not in (0, c.relowner)
  loop
    execute format('grant select, insert, update, delete on mempool_instances_v1 to %s', v_role);
    execute format('grant select, insert, update, delete on mempool_pauses_v1 to %s', v_role);
    execute format('grant select, insert, delete on mempool_attempts_v1 to %s', v_role);
    execute format('grant select, insert, delete on mempool_samples_v1 to %s', v_role);
    execute format('grant select on mempool_submitter_audit_v1 to %s', v_role);
  end loop;
end $$;

-- @step the columns: their defaults are constants, or now(), which is evaluated once, so no row is rewritten
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
  add column if not exists completion_offset bigint,
  add column if not exists sent_inputs text[],
  add column if not exists waits_on bigint[],
  add column if not exists waits_until timestamptz;

-- @step the columns of a record are set together and cleared together. Not valid: that needs no scan, and old rows have no record
do $$ begin
  if not exists (select from pg_constraint where conrelid = 'mempool'::regclass and conname = 'mempool_record_v1') then
    alter table mempool add constraint mempool_record_v1 check (
      case when sent_until is null
        then num_nonnulls(sent_from, submission_id, submission_party, submission_hash, hashing_scheme, sent_on) = 0
        else num_nulls(sent_from, submission_party, sent_on) = 0 end) not valid;
  end if;
  if not exists (select from pg_constraint where conrelid = 'mempool'::regclass and conname = 'mempool_inputs_v1') then
    alter table mempool add constraint mempool_inputs_v1 check (sent_inputs is null or sent_until is not null) not valid;
  end if;
end $$;

-- @step what the columns are for
comment on column mempool.id is 'canton-middleware: arrival order';
comment on column mempool.tx_hash is 'canton-middleware: hash of the Ethereum transaction, 32 bytes; the command id on the ledger';
comment on column mempool.from_address is 'canton-middleware: sender, EIP-55; its value, however it is spelled, is the lane';
comment on column mempool.contract_address is 'canton-middleware: token contract, EIP-55';
comment on column mempool.recipient_address is 'canton-middleware: receiver, EIP-55';
comment on column mempool.nonce is 'canton-middleware: the order of the sender''s transfers';
comment on column mempool.input is 'canton-middleware: call data';
comment on column mempool.amount_data is 'canton-middleware: amount, big-endian bytes, empty for 0';
comment on column mempool.status is 'canton-middleware: pending (claimed rows too), completed, failed, mined';
comment on column mempool.error_message is 'canton-middleware: the final reason that a wallet sees';
comment on column mempool.created_at is 'canton-middleware: arrival';
comment on column mempool.updated_at is 'canton-middleware: last change of the outcome';
comment on column mempool.available_at is 'not to be claimed before this: arrival, or the end of a backoff; infinity = parked. A claim does not change it';
comment on column mempool.claim_token is 'fencing token of the current attempt; every write of the holder names it';
comment on column mempool.claimed_by is 'who holds it: instance and process';
comment on column mempool.claimed_at is 'since when it is held';
comment on column mempool.lease_expires_at is 'until when it is held; renewals write only this column, which no index contains';
comment on column mempool.released_token is 'token of the last attempt that gave the row back; tells a lost acknowledgement from a lost claim';
comment on column mempool.attempts is 'attempts that reached the ledger or judged the row; once they are used up the row is parked';
comment on column mempool.last_error is 'why it was last given back, parked or failed, for operators, as CODE: detail';
comment on column mempool.sent_from is 'record of what may be on its way to the ledger: a ledger end known before it was sent';
comment on column mempool.sent_until is 'record: the ledger refuses it after this record time; infinity = unknown. Not null: the row is undecided';
comment on column mempool.submission_id is 'record: submission id; null for a submission that we do not remember';
comment on column mempool.submission_party is 'record: the party it was sent for';
comment on column mempool.submission_hash is 'record: hash of the prepared transaction (external parties)';
comment on column mempool.hashing_scheme is 'record: hashing scheme of that hash';
comment on column mempool.sent_on is 'record: number of the pinned participant it was sent on';
comment on column mempool.sent_by is 'record: the ledger user who may have sent it, where that was the old submitter''s';
comment on column mempool.sent_inputs is 'record, LANES=holdings: contract ids of the holdings it spends, which are reserved for it as long as it has a record; null: not known';
comment on column mempool.waits_on is 'LANES=holdings: ids of the rows that have reserved what this one needs. It waits as long as each of them has its record; of no meaning once one has not';
comment on column mempool.waits_until is 'LANES=holdings: it waits on them until then at most, since money may also come from elsewhere';
comment on column mempool.same_nonce_ok is 'a person has allowed it to be paid although another hash has used its nonce';
comment on column mempool.update_id is 'the ledger''s update that made the transfer';
comment on column mempool.completion_offset is 'offset of its completion on the participant';

-- @step function: an address by value, which is in lower case and without 0x. Its body is bound when it is made, so no search_path affects it
create or replace function mempool_address_v1(address text) returns text language sql immutable parallel safe
  return case when pg_catalog.left(address, 2) in ('0x', '0X') then pg_catalog.substr(pg_catalog.lower(address), 3)
    else pg_catalog.lower(address) end;

-- @step function: the lane of a sender, which is the hash of the address by value: one bigint for indexes and locks
create or replace function mempool_sender_v1(address text) returns bigint language sql immutable parallel safe
  return pg_catalog.hashtextextended(mempool_address_v1(address), 0::bigint);

-- Every index on mempool is partial, so that it stays small whatever the table's history.
-- @step index mempool_fresh_v1: waiting rows, oldest first. Rows in flight and undecided rows are not in it, so they cost a claim nothing
create index concurrently if not exists mempool_fresh_v1 on mempool (available_at, id)
  where status = 'pending' and claim_token is null and sent_until is null;
-- @step index mempool_undecided_v1: waiting rows whose submission may still commit, for looks
create index concurrently if not exists mempool_undecided_v1 on mempool (available_at, id)
  where status = 'pending' and claim_token is null and sent_until is not null;
-- @step index mempool_lane_v2 lanes=sender,holdings: the first entry of a lane is its head: the lowest undecided row, or else the lowest. Parked rows step aside
create index concurrently if not exists mempool_lane_v2 on mempool (mempool_sender_v1(from_address), (sent_until is null), nonce, id)
  where status = 'pending' and available_at < 'infinity';
-- @step index mempool_claimed_lane_v2 lanes=sender: I6 as a constraint, one claim of a lane whoever writes it; also for rescue
create unique index concurrently if not exists mempool_claimed_lane_v2 on mempool (mempool_sender_v1(from_address))
  where status = 'pending' and claim_token is not null;
-- @step index mempool_claimed_v1 lanes=off,holdings: rows in flight, for rescue
create index concurrently if not exists mempool_claimed_v1 on mempool (id)
  where status = 'pending' and claim_token is not null;
-- @step index mempool_beginning_v1 lanes=holdings: I6 as a constraint, one row of a sender on its way to its record, whoever claims it
create unique index concurrently if not exists mempool_beginning_v1 on mempool (mempool_sender_v1(from_address))
  where status = 'pending' and claim_token is not null and sent_until is null;
-- @step index mempool_spending_v1 lanes=holdings: what a party's undecided rows have reserved
create index concurrently if not exists mempool_spending_v1 on mempool (submission_party)
  where status = 'pending' and sent_until is not null;
-- @step index mempool_reasons_v1: failures, for the status page
create index concurrently if not exists mempool_reasons_v1 on mempool (updated_at) where error_message is not null;
-- @step index mempool_nonce_v1 same_nonce=park: the nonces that a sender has used, or may have used
create index concurrently if not exists mempool_nonce_v1 on mempool (mempool_sender_v1(from_address), nonce)
  where (status in ('completed', 'mined') and error_message is null) or (status = 'pending' and sent_until is not null);
-- @step index mempool_attempts_row_v1: the story of a row
create index concurrently if not exists mempool_attempts_row_v1 on mempool_attempts_v1 (row_id);
-- @step index mempool_attempts_ended_v1: stories that are old, which are removed
create index concurrently if not exists mempool_attempts_ended_v1 on mempool_attempts_v1 (ended_at);
-- @step index mempool_attempts_lost_v1: attempts that a dead instance has lost
create index concurrently if not exists mempool_attempts_lost_v1 on mempool_attempts_v1 (row_id) where outcome = 'lost';
-- @step index mempool_audit_hash_v1: what people did to a row
create index concurrently if not exists mempool_audit_hash_v1 on mempool_submitter_audit_v1 (tx_hash) where tx_hash is not null;
-- @step index users_address_v1: users by address, however it is spelled
create index concurrently if not exists users_address_v1 on users (mempool_address_v1(evm_address));

-- @step after=pin: room on each page for renewals (HOT), and vacuum settings for rows that change a few times and then never again
alter table mempool set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);

-- @step after=pin: stories are removed where their index begins: until it is vacuumed, each look steps over what is gone
alter table mempool_attempts_v1 set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
