-- The outbox: every outcome as an entry of its own, written by the very statement that writes the outcome, whoever that is:
-- a settle, a claim that parks, a command, a person with psql. Off unless pinned (`migrate --outcomes`): the trigger that
-- writes entries is the switch, so it is on or off for all instances at once, and costs nothing while it is off. Applied by
-- `canton-submitter migrate` after triggers.sql. docs/outcomes.md says what is promised to those who read it.

-- @step the outbox: entries, the queue of senders with something to deliver, and how far each consumer has come
create table if not exists mempool_outbox_v1 (
  id bigint generated always as identity primary key,
  webhook_id uuid not null default gen_random_uuid(),
  at timestamptz not null default now(),
  kind text not null check (kind in ('completed', 'failed', 'parked')),
  tx_hash bytea not null,
  lane bigint not null,
  from_address text not null,
  contract_address text not null,
  recipient_address text not null,
  nonce bigint not null,
  amount_data bytea not null,
  update_id text,
  completion_offset bigint,
  reason text,
  position bigint,
  delivery text not null default 'new' check (delivery in ('new', 'none', 'due', 'delivered', 'dead', 'skipped')),
  attempts int not null default 0,
  tried_at timestamptz,
  delivered_at timestamptz,
  last_error text,
  check ((position is null) = (delivery = 'new'))
);
create unique index if not exists mempool_outbox_position_v1 on mempool_outbox_v1 (position);
create index if not exists mempool_outbox_new_v1 on mempool_outbox_v1 (id) where position is null;
create index if not exists mempool_outbox_due_v1 on mempool_outbox_v1 (lane, position) where delivery = 'due';
create index if not exists mempool_outbox_dead_v1 on mempool_outbox_v1 (position) where delivery = 'dead';
create table if not exists mempool_outbox_counter_v1 (
  one boolean primary key default true check (one),
  last bigint not null default 0
);
insert into mempool_outbox_counter_v1 default values on conflict do nothing;
create table if not exists mempool_outbox_lanes_v1 (
  lane bigint primary key,
  due_at timestamptz not null,
  token uuid
);
create index if not exists mempool_outbox_lanes_due_v1 on mempool_outbox_lanes_v1 (due_at, lane);
create table if not exists mempool_outbox_consumers_v1 (
  consumer text primary key,
  acknowledged bigint not null default 0,
  token uuid,
  lease_expires_at timestamptz,
  since timestamptz not null default now(),
  acknowledged_at timestamptz
);
comment on table mempool_outbox_v1 is 'canton-submitter: outcomes for others, one entry each. `prune --outcomes` deletes what everybody has';
comment on column mempool_outbox_v1.id is 'when the outcome was written, roughly: a lower one may commit later';
comment on column mempool_outbox_v1.webhook_id is 'the same for every delivery of this entry, so that a receiver can tell a repetition';
comment on column mempool_outbox_v1.at is 'time of the outcome';
comment on column mempool_outbox_v1.kind is 'completed, failed or parked';
comment on column mempool_outbox_v1.tx_hash is 'hash of the Ethereum transaction';
comment on column mempool_outbox_v1.lane is 'the sender, hashed: deliveries of one lane are made in order';
comment on column mempool_outbox_v1.from_address is 'sender';
comment on column mempool_outbox_v1.contract_address is 'token contract';
comment on column mempool_outbox_v1.recipient_address is 'receiver';
comment on column mempool_outbox_v1.nonce is 'nonce of the Ethereum transaction';
comment on column mempool_outbox_v1.amount_data is 'amount, big-endian bytes, empty for 0';
comment on column mempool_outbox_v1.update_id is 'completed: the ledger''s update that made the transfer';
comment on column mempool_outbox_v1.completion_offset is 'completed: offset of its completion on the participant';
comment on column mempool_outbox_v1.reason is 'failed: what a wallet sees; parked: why, as CODE: detail';
comment on column mempool_outbox_v1.position is 'its place in the order that everybody reads; given after the commit, so nothing ever appears before a position that was read';
comment on column mempool_outbox_v1.delivery is 'by webhook. new: has no position yet; none: not meant for webhooks; due, delivered; dead: given up; skipped: a person did not want it delivered';
comment on column mempool_outbox_v1.attempts is 'deliveries tried';
comment on column mempool_outbox_v1.tried_at is 'when it was first tried';
comment on column mempool_outbox_v1.delivered_at is 'when the receiver accepted it';
comment on column mempool_outbox_v1.last_error is 'why the last delivery failed';
comment on table mempool_outbox_counter_v1 is 'canton-submitter: one row, the last position given; whoever gives positions locks it';
comment on table mempool_outbox_lanes_v1 is 'canton-submitter: senders with an entry to deliver by webhook';
comment on column mempool_outbox_lanes_v1.due_at is 'not to be delivered before this: the end of a backoff, or of the lease of whoever delivers now';
comment on column mempool_outbox_lanes_v1.token is 'fencing token of whoever delivers now';
comment on table mempool_outbox_consumers_v1 is 'canton-submitter: how far each consumer of the library''s outcomes() has come';
comment on column mempool_outbox_consumers_v1.acknowledged is 'position of the last entry that it has dealt with';
comment on column mempool_outbox_consumers_v1.token is 'fencing token of the process that reads for it now';

-- @step the pinned row, continued: who gets outcomes
alter table mempool_submitter_v1
  add column if not exists outcomes text not null default 'off' check (outcomes in ('off', 'consumers', 'webhooks'));
comment on column mempool_submitter_v1.outcomes is 'off: no entries are written; consumers: entries for readers of the library; webhooks: for them and for the receiver';

-- @step the functions of the outbox

-- An outcome and its entry commit together, or neither does. Security definer: whoever may write to mempool needs no
-- privileges on our tables.
create or replace function mempool_outcome_v1() returns trigger language plpgsql
security definer set search_path from current as $$
begin
  insert into mempool_outbox_v1 (kind, tx_hash, lane, from_address, contract_address, recipient_address, nonce, amount_data,
                                 update_id, completion_offset, reason)
  values (case when new.status = 'pending' then 'parked' else new.status end, new.tx_hash, mempool_sender_v1(new.from_address),
          new.from_address, new.contract_address, new.recipient_address, new.nonce, new.amount_data, new.update_id,
          new.completion_offset, case when new.status = 'pending' then new.last_error else new.error_message end);
  return null;
end $$;

-- Gives new entries their positions. An id is taken before its commit, so a lower id may become visible after a higher one,
-- and a reader that remembers an id would step over it. A position is given after the commit, by one session at a time,
-- which commits before the next one begins: whoever has read up to a position has missed nothing before it. Of one row, or
-- of two outcomes of which one waited for the other, the ids have the right order.
create or replace function mempool_outbox_number_v1() returns void language plpgsql volatile set search_path from current as $$
declare
  v_last bigint;
  v_webhooks boolean;
  v_count bigint;
begin
  perform mempool_proven_v1();
  if not exists (select from mempool_outbox_v1 o where o.position is null) then return; end if;
  select c.last into v_last from mempool_outbox_counter_v1 c for update;
  v_webhooks := exists (select from mempool_submitter_v1 p where p.outcomes = 'webhooks');
  -- The snapshot of this query is younger than the lock, so it sees what the session before has numbered.
  with fresh as materialized (
    select u.id, row_number() over (order by u.id) as nr
      from (select o.id from mempool_outbox_v1 o where o.position is null order by o.id limit 5000) u
  ), numbered as (
    update mempool_outbox_v1 o
       set position = v_last + f.nr, delivery = case when v_webhooks then 'due' else 'none' end
      from fresh f where o.id = f.id
    returning o.lane
  ), queued as (
    -- Writes also where the lane is queued already: its row is locked until the entries can be seen, so that a release
    -- either sees them or has taken the lane off the queue before.
    insert into mempool_outbox_lanes_v1 as l (lane, due_at)
    select n.lane, now() from numbered n where v_webhooks group by n.lane order by n.lane
    on conflict (lane) do update set lane = excluded.lane
  )
  select count(*) into v_count from numbered;
  update mempool_outbox_counter_v1 c set last = v_last + v_count;
end $$;

-- Lanes whose next entry is due, at most p_limit, each under a token of its own and for p_lease_ms, with their next p_each
-- entries. A lane belongs to one deliverer at a time, so its entries leave in order, whoever delivers.
create or replace function mempool_outbox_claim_v1(p_limit int, p_each int, p_lease_ms float8)
returns table (
  lane bigint, token uuid, db_now float8, id bigint, webhook_id uuid, at float8, kind text, tx_hash bytea, from_address text,
  contract_address text, recipient_address text, nonce bigint, amount_data bytea, update_id text, completion_offset bigint,
  reason text, "position" bigint, attempts int
) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
declare
  v_lanes bigint[];
  v_tokens uuid[];
begin
  perform mempool_outbox_number_v1();
  with free as materialized (
    select l.lane from mempool_outbox_lanes_v1 l where l.due_at <= now()
     order by l.due_at, l.lane limit p_limit for update skip locked
  ), taken as (
    update mempool_outbox_lanes_v1 l
       set token = gen_random_uuid(), due_at = now() + p_lease_ms * interval '1 ms'
      from free f where l.lane = f.lane
    returning l.lane, l.token
  )
  select array_agg(t.lane), array_agg(t.token) into v_lanes, v_tokens from taken t;
  if v_lanes is null then return; end if;
  -- Read after the lanes are locked: what the deliverer before us has delivered is not due any more.
  delete from mempool_outbox_lanes_v1 l where l.lane = any (v_lanes)
     and not exists (select from mempool_outbox_v1 o where o.lane = l.lane and o.delivery = 'due');
  return query
  select t.lane, t.token, (extract(epoch from clock_timestamp()) * 1000)::float8, e.id, e.webhook_id,
         (extract(epoch from e.at) * 1000)::float8, e.kind, e.tx_hash, e.from_address, e.contract_address, e.recipient_address,
         e.nonce, e.amount_data, e.update_id, e.completion_offset, e.reason, e.position, e.attempts
    from unnest(v_lanes, v_tokens) t(lane, token) cross join lateral (
      select o.* from mempool_outbox_v1 o where o.lane = t.lane and o.delivery = 'due' order by o.position limit p_each) e
   order by t.lane, e.position;
end $$;

-- What became of a claimed lane's entries: those delivered, and the one that failed, which is tried again after p_wait_ms, or
-- is dead once it has been tried for p_give_up_ms. The lane goes on with its next entry.
create or replace function mempool_outbox_release_v1(
  p_lane bigint, p_token uuid, p_delivered bigint[], p_failed bigint, p_error text, p_wait_ms float8, p_give_up_ms float8
) returns text language plpgsql volatile set search_path from current as $$
declare
  v_became text;
begin
  perform mempool_proven_v1();
  perform from mempool_outbox_lanes_v1 l where l.lane = p_lane and l.token = p_token for update;
  if not found then return 'fenced'; end if;
  update mempool_outbox_v1 o
     set delivery = 'delivered', delivered_at = now(), attempts = o.attempts + 1, tried_at = coalesce(o.tried_at, now()),
         last_error = null
   where o.id = any (p_delivered) and o.delivery = 'due';
  update mempool_outbox_v1 o
     set attempts = o.attempts + 1, tried_at = coalesce(o.tried_at, now()), last_error = p_error,
         delivery = case when o.tried_at + p_give_up_ms * interval '1 ms' <= now() then 'dead' else 'due' end
   where o.id = p_failed and o.delivery = 'due'
  returning o.delivery into v_became;
  if exists (select from mempool_outbox_v1 o where o.lane = p_lane and o.delivery = 'due') then
    update mempool_outbox_lanes_v1 l
       set token = null, due_at = now() + case when v_became = 'due' then p_wait_ms else 0 end * interval '1 ms'
     where l.lane = p_lane;
  else
    delete from mempool_outbox_lanes_v1 l where l.lane = p_lane;
  end if;
  return case when v_became = 'dead' then 'dead' else 'released' end;
end $$;

-- The next entries of a consumer, which is created when it first reads; one process at a time reads for it. 'held': another
-- one does.
create or replace function mempool_outbox_read_v1(p_consumer text, p_token uuid, p_lease_ms float8, p_limit int)
returns table (
  answer text, id bigint, webhook_id uuid, at float8, kind text, tx_hash bytea, from_address text,
  contract_address text, recipient_address text, nonce bigint, amount_data bytea, update_id text, completion_offset bigint,
  reason text, "position" bigint
) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
declare
  v_acknowledged bigint;
begin
  perform mempool_proven_v1();
  if not exists (select from mempool_outbox_consumers_v1 c where c.consumer = p_consumer) then
    insert into mempool_outbox_consumers_v1 (consumer) values (p_consumer) on conflict do nothing;
  end if;
  update mempool_outbox_consumers_v1 c set token = p_token, lease_expires_at = now() + p_lease_ms * interval '1 ms'
   where c.consumer = p_consumer and (c.token is null or c.token = p_token or c.lease_expires_at <= now())
  returning c.acknowledged into v_acknowledged;
  if not found then
    answer := 'held';
    return next;
    return;
  end if;
  perform mempool_outbox_number_v1();
  return query
  select 'entry'::text, o.id, o.webhook_id, (extract(epoch from o.at) * 1000)::float8, o.kind, o.tx_hash, o.from_address,
         o.contract_address, o.recipient_address, o.nonce, o.amount_data, o.update_id, o.completion_offset, o.reason, o.position
    from mempool_outbox_v1 o where o.position > v_acknowledged order by o.position limit p_limit;
end $$;
-- What a session calls of these runs under what the claim runs under: protocol.sql says what that is, and why.
do $$
declare
  v_function text;
  v_setting text;
begin
  for v_function, v_setting in
    select p.oid::regprocedure, s
      from pg_proc p cross join pg_proc claim cross join unnest(claim.proconfig) s
     where p.proname in ('mempool_outbox_claim_v1', 'mempool_outbox_release_v1', 'mempool_outbox_read_v1')
       and pg_function_is_visible(p.oid)
       and claim.proname = 'mempool_claim_v1' and pg_function_is_visible(claim.oid) and s not like 'search_path=%'
  loop
    execute format('alter function %s set %I to %L', v_function, split_part(v_setting, '=', 1), split_part(v_setting, '=', 2));
  end loop;
end $$;

-- @step outcomes=on: the trigger that writes the entries. Fires where a pending row ends or is parked, by whatever statement
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_outcome_v1') then
    create trigger mempool_outcome_v1 after update of status, available_at on mempool for each row
      when (old.status = 'pending' and (new.status in ('completed', 'failed')
        or (new.status = 'pending' and new.available_at = 'infinity' and old.available_at < 'infinity')))
      execute function mempool_outcome_v1();
  end if;
end $$;
