-- The functions that keep money: claim (choose, then take), write-ahead, settle, renew, rescue. Each keeps a guarantee by
-- several queries in one round trip. `canton-submitter migrate` installs them after schema.sql, in one transaction: an
-- instance sees all of these functions or none. What instances of two versions share ends in _v1: a new meaning gets a new
-- name, and an instance of an earlier build goes on working with these.
--
-- They are plpgsql and volatile, so each query in them has its own snapshot, younger than the locks taken before it.
-- Every function has the search_path of the migration, which is the schema of the tables alone: with the caller's, somebody
-- could put other functions before ours. The remaining settings are at the end of this file.

-- @step the protocol

-- Functions of earlier builds that took or returned something else under these names. (The settle of an earlier build
-- stays until the pin: see the last step.)
drop function if exists mempool_waiting_lanes_v1(boolean, boolean, int);
drop function if exists mempool_choose_v1(boolean, boolean, int, bigint, timestamptz);
drop function if exists mempool_settle_v1(boolean, bigint[], uuid[], bigint[], float8[], text[], text[], bigint[], text[], text[], boolean[], float8[], int[]);
drop function if exists mempool_write_ahead_v1(bigint, bigint, uuid, boolean, bigint, timestamptz, text, text, int);
do $$ begin
  if exists (select from pg_proc p where p.oid = to_regproc('mempool_database_v1') and not 'table_oid' = any (p.proargnames)) then
    drop function mempool_database_v1;
  end if;
  if exists (select from pg_proc p where p.oid = to_regproc('mempool_claim_v1')
      and ('last_error' = any (p.proargnames) or not 'low_water' = any (p.proargnames))) then
    drop function mempool_claim_v1;
  end if;
end $$;

-- Refuses any isolation but READ COMMITTED: in a snapshot older than its locks, a claim would overlook another one.
create or replace function mempool_proven_v1() returns void language plpgsql volatile set search_path from current as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'canton-submitter needs READ COMMITTED, and this session runs %', current_setting('transaction_isolation')
      using errcode = 'feature_not_supported',
        hint = 'check default_transaction_isolation of the role and of the database';
  end if;
end $$;

-- Makes sure that the commit of this transaction is flushed, whatever the role or the database has set (P19).
create or replace function mempool_synced_v1() returns void language plpgsql volatile set search_path from current as $$
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end $$;

-- Which database this is (P20). Null: this role, or this server, may not be asked.
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
  -- A standby, which writes no log of its own, raises the last of these.
  exception when insufficient_privilege or feature_not_supported or undefined_function or object_not_in_prerequisite_state then
  end;
  database_oid := (select d.oid::bigint from pg_database d where d.datname = current_database());
  table_oid := 'mempool'::regclass::oid::bigint;
end $$;

-- Whether this is another database than the pinned one, or an earlier state of it (P20). Asks only for what was pinned.
create or replace function mempool_moved_v1(p_pin mempool_submitter_v1) returns boolean
language plpgsql volatile set search_path from current as $$
declare
  v_asked text;
begin
  if p_pin.timeline is not null then
    if p_pin.timeline <> left(pg_walfile_name(pg_current_wal_lsn()), 8) then return true; end if;
  end if;
  if p_pin.table_oid is not null and p_pin.table_oid <> 'mempool'::regclass::oid::bigint then return true; end if;
  -- A session keeps its cluster and its database, and pg_control_system() reads a file, which costs 4 to 10 % of a claim:
  -- so each session asks for these two once.
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

-- Whether the caller's checks no longer hold, so that nothing may be claimed or sent (I1, P20): the pins have changed, claims
-- are halted, or this is another database.
create or replace function mempool_stale_v1(p_pin mempool_submitter_v1, p_generation bigint) returns boolean
language plpgsql volatile set search_path from current as $$
begin
  return p_pin.generation is distinct from p_generation or p_pin.halted is not null or mempool_moved_v1(p_pin);
end $$;

-- The lanes of the oldest waiting rows (p_newest: of the newest), in that order, each as often as it has rows among them.
-- The oldest are looked for from p_from on: before it lie index entries of rows that have ended, which vacuum cannot remove
-- while somebody keeps an old snapshot open. Four queries, since each needs the index of its own predicate.
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

-- The next p_steps lanes after p_turn, in the order of their hashes, starting over after the last one: one index descent a
-- lane. A caller that advances p_turn by the golden ratio of the range covers all lanes evenly.
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

-- LANES=holdings: which of these lanes' rows may begin, at most p_limit. A lane's head is its lowest row without a record:
-- claimed or in backoff it holds the lane, and so it does while it waits on rows that have reserved what it needs. That is
-- computed here, from those rows themselves, so no wake-up can be lost.
create or replace function mempool_beginners_v1(
  p_seen bigint[], p_taken bigint[], p_limit int, p_tokens text[], p_senders bigint[], out ids bigint[], out lanes bigint[]
) language plpgsql volatile set search_path from current as $$
begin
  select coalesce(array_agg(b.id), '{}'), coalesce(array_agg(b.lane), '{}') into ids, lanes from (
    select f.id, f.lane from (
      select h.id, l.lane
        from (select u.lane, min(u.nr) as nr from unnest(p_seen) with ordinality u(lane, nr)
               where u.lane <> all (p_taken) group by u.lane order by 2) l
       cross join lateral (
         select w.id, w.available_at, w.claim_token, w.waits_on, w.waits_until, w.contract_address from mempool w
          where w.status = 'pending' and w.available_at < 'infinity' and mempool_sender_v1(w.from_address) = l.lane
            and (w.sent_until is null) = true
          order by mempool_sender_v1(w.from_address), (w.sent_until is null), w.nonce, w.id limit 1) h
       where h.available_at <= now() and h.claim_token is null
         and (p_senders is null or l.lane <> all (p_senders))
         and (p_tokens is null or mempool_address_v1(h.contract_address) <> all (p_tokens))
         and (h.waits_on is null or h.waits_until <= now() or exists (
           select from unnest(h.waits_on) o(id) where not exists (
             select from mempool x
              where x.id = o.id and x.status = 'pending' and x.sent_until is not null
                and (x.sent_inputs is not null or x.available_at < 'infinity'))))
      offset 0) f
     where pg_try_advisory_xact_lock(f.lane)
     limit p_limit) b;
end $$;

-- Choose: which rows a claim may take, oldest first, at most p_limit, all of them locked, and their lanes too (null where
-- lanes are off). Waits for no lock. `oldest`: nothing that waits has arrived before it; null: nothing waits. p_tokens and
-- p_senders (addresses, lanes): what people have paused; null: nothing of that kind. A paused head holds its lane.
create or replace function mempool_choose_v1(
  p_look boolean, p_by_lane boolean, p_limit int, p_turn bigint, p_from timestamptz, p_tokens text[], p_senders bigint[],
  p_by_holdings boolean,
  out ids bigint[], out lanes bigint[], out oldest timestamptz
) language plpgsql volatile set search_path from current as $$
#variable_conflict use_variable
declare
  -- Rows that are paused fill the window as a busy sender does, so more of them are looked at.
  v_more_seen int := case when p_tokens is null and p_senders is null then 0 else 512 end;
  v_window int := 2 * p_limit + 16 + v_more_seen;
  v_seen bigint[];
  v_found bigint[];
  v_more bigint[];
begin
  ids := '{}';
  if p_by_lane then
    lanes := '{}';
    for v_stage in 1 .. 3 loop
      -- The oldest rows first. Where one busy sender fills that window, others are found by going round the lanes, so that
      -- nobody waits behind it, and then among the newest rows, so that a new sender need not wait for its turn.
      case v_stage
        when 1 then
          select w.lanes, w.oldest into v_seen, oldest from mempool_waiting_lanes_v1(p_look, false, v_window, p_from) w;
        when 2 then v_seen := mempool_ring_lanes_v1(p_turn, p_limit + 16 + v_more_seen);
        else v_seen := (select w.lanes from mempool_waiting_lanes_v1(p_look, true, 16 + v_more_seen, p_from) w);
      end case;
      if p_by_holdings then
        select b.ids, b.lanes into v_found, v_more
          from mempool_beginners_v1(v_seen, lanes, p_limit - cardinality(ids), p_tokens, p_senders) b;
      else
        -- The heads of these lanes that wait and are due. The lane's lock is tried last and never waited for; it stands
        -- behind `offset 0`, or the planner would take locks before it looks at heads.
        select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.lane), '{}') into v_found, v_more from (
          select d.id, d.lane from (
            select h.id, l.lane
              from (select u.lane, min(u.nr) as nr from unnest(v_seen) with ordinality u(lane, nr)
                     where u.lane <> all (lanes) group by u.lane order by 2) l
             cross join lateral (
               select m.id, m.available_at, m.claim_token, m.sent_until, m.contract_address from mempool m
                where m.status = 'pending' and m.available_at < 'infinity' and mempool_sender_v1(m.from_address) = l.lane
                order by mempool_sender_v1(m.from_address), (m.sent_until is null), m.nonce, m.id limit 1) h
             where h.claim_token is null and h.available_at <= now() and (h.sent_until is not null) = p_look
               and (p_senders is null or l.lane <> all (p_senders))
               and (p_tokens is null or mempool_address_v1(h.contract_address) <> all (p_tokens))
            offset 0) d
           where pg_try_advisory_xact_lock(d.lane)
           limit p_limit - cardinality(ids)) c;
      end if;
      ids := ids || v_found;
      lanes := lanes || v_more;
      exit when cardinality(ids) >= p_limit or (v_stage = 1 and cardinality(v_seen) < v_window);
    end loop;
    -- The updates that follow would wait for a row that somebody keeps locked, and all other senders with them. And a row
    -- that set-aside could not look at may not be taken either (I4).
    select coalesce(array_agg(l.id), '{}'), coalesce(array_agg(l.lane), '{}') into ids, lanes from (
      select m.id, u.lane from unnest(ids, lanes) u(id, lane) join mempool m on m.id = u.id
       where m.status = 'pending' and m.claim_token is null
         for update of m skip locked) l;
  elsif p_look then
    select coalesce(array_agg(w.id), '{}'), min(w.available_at) into ids, oldest from (
      select m.id, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
         and m.available_at >= p_from and m.available_at <= now()
       order by m.available_at, m.id limit p_limit for update skip locked) w;
  else
    select coalesce(array_agg(w.id), '{}'), min(w.available_at) into ids, oldest from (
      select m.id, m.available_at from mempool m
       where m.status = 'pending' and m.claim_token is null and m.sent_until is null
         and m.available_at >= p_from and m.available_at <= now()
         and (p_senders is null or mempool_sender_v1(m.from_address) <> all (p_senders))
         and (p_tokens is null or mempool_address_v1(m.contract_address) <> all (p_tokens))
       order by m.available_at, m.id limit p_limit for update skip locked) w;
    -- What is paused still waits, before all of these.
    if v_more_seen > 0 then oldest := greatest(p_from, 'epoch'); end if;
  end if;
end $$;

-- Set aside: of the chosen rows, those that may not be sent. A hash that has ended is answered from what is remembered of
-- it; with SAME_NONCE=park, a fresh row whose nonce another hash has used is parked, and returned. Take finds neither.
create or replace function mempool_set_aside_v1(p_pin mempool_submitter_v1, p_look boolean, p_ids bigint[])
returns table (id bigint, tx_hash bytea) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
begin
  -- I4: a hash that has ended is never claimed, whatever brought its row back: an insert that did not see the end yet, or
  -- rows copied from an archive.
  with answered as (
    update mempool m
       set status = e.status, error_message = e.error_message, update_id = e.update_id, updated_at = now(),
           lease_expires_at = null,
           sent_from = null, sent_until = null, submission_id = null, submission_party = null, submission_hash = null,
           hashing_scheme = null, sent_on = null, sent_by = null, sent_inputs = null
      from mempool_ended_v1 e
     where m.id = any (p_ids) and e.tx_hash = m.tx_hash and m.status = 'pending' and m.claim_token is null
    returning m.id, m.tx_hash, m.attempts, m.status, m.update_id
  )
  insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, outcome, error, update_id)
  select a.id, a.tx_hash, 'claim', a.attempts, a.status, 'ENDED_BEFORE: its hash had ended, and its row was gone', a.update_id
    from answered a;
  if p_pin.same_nonce = 'park' and not p_look then
    return query
    with parked as (
      update mempool m
         set available_at = 'infinity', updated_at = now(),
             last_error = 'SAME_NONCE: nonce ' || m.nonce || ' was already used, or may have been, by 0x' || encode(s.tx_hash, 'hex')
               || ': if both are intended, `replay --force-new --hash`'
        from mempool c cross join lateral (
          select x.tx_hash from mempool x
           where ((x.status in ('completed', 'mined') and x.error_message is null) or (x.status = 'pending' and x.sent_until is not null))
             and mempool_sender_v1(x.from_address) = mempool_sender_v1(c.from_address) and x.nonce = c.nonce and x.id <> c.id
           limit 1) s
       where c.id = any (p_ids) and not c.same_nonce_ok and m.id = c.id and m.status = 'pending' and m.claim_token is null
         and m.available_at <= now()
      returning m.id, m.tx_hash, m.attempts, m.last_error
    ), told as (
      insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, outcome, error)
      select p.id, p.tx_hash, 'claim', p.attempts, 'parked', p.last_error from parked p
    )
    select p.id, p.tx_hash from parked p;
  end if;
end $$;

-- Take: gives the chosen rows to p_holder, each under a token of its own. A fresh row of a hosted sender gets its record in
-- the same statement.
create or replace function mempool_take_v1(
  p_pin mempool_submitter_v1, p_look boolean, p_ids bigint[], p_lanes bigint[], p_holder text, p_lease_ms float8,
  p_sent_from bigint, p_window_ms float8
) returns table (
  id bigint, tx_hash bytea, from_address text, contract_address text, recipient_address text, nonce bigint,
  amount_data bytea, created_at float8, claim_token uuid, attempts int,
  sender_kind text, sender_party text, sender_key text, recipient_party text, nonce_shared boolean,
  sent_from bigint, sent_until float8, submission_id text, submission_party text,
  submission_hash bytea, hashing_scheme int, sent_on int, sent_by text
) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
begin
  return query
  -- The snapshot of this query is younger than the lane locks, so it sees the claim of whoever held a lane before us. The
  -- predicates are repeated here, at the locking level, since READ COMMITTED checks only these again (P9).
  with free as materialized (
    select m.id, m.from_address, m.recipient_address, m.nonce, u.lane
      from unnest(p_ids, p_lanes) u(id, lane) join mempool m on m.id = u.id
     where m.status = 'pending' and m.claim_token is null and m.available_at <= now()
       and (m.sent_until is not null) = p_look
       and (u.lane is null or case when p_pin.lanes = 'holdings' then (select c.id from mempool c
         where c.status = 'pending' and c.claim_token is not null and c.sent_until is null
           and mempool_sender_v1(c.from_address) = u.lane
         limit 1) else (select c.id from mempool c
         where c.status = 'pending' and c.claim_token is not null and mempool_sender_v1(c.from_address) = u.lane
         limit 1) end is null)
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
    -- The record of a hosted sender comes with the claim (rule 1): durable before anything is sent, at no extra round trip.
    -- With LANES=holdings it says what is spent, which is not known yet.
    select t.*, not p_look and t.kind = 'hosted' and p_pin.lanes <> 'holdings' as writes from taken t
  )
  update mempool m
     set claim_token = o.token, claimed_by = p_holder, claimed_at = now(),
         lease_expires_at = now() + p_lease_ms * interval '1 ms',
         -- Within what the column holds, whatever a person has written there: one such row must not fail the whole claim.
         attempts = case when p_look then m.attempts else least(greatest(m.attempts, 0), 2147483646) + 1 end,
         sent_from = case when o.writes then p_sent_from else m.sent_from end,
         sent_until = case when o.writes
           then date_trunc('milliseconds', now() + (p_window_ms + p_pin.tolerance_ms) * interval '1 ms')
           else m.sent_until end,
         submission_id = case when o.writes then o.token::text else m.submission_id end,
         submission_party = case when o.writes then o.party else m.submission_party end,
         sent_on = case when o.writes then p_pin.sent_on else m.sent_on end,
         sent_by = case when o.writes then null else m.sent_by end
    from own o where m.id = o.id
  -- Cast, so that the claim works where a column is a varchar.
  returning m.id, m.tx_hash, m.from_address::text, m.contract_address::text, m.recipient_address::text, m.nonce,
    m.amount_data, floor(extract(epoch from greatest(least(coalesce(m.created_at, now()), '9999-12-31Z'), '0001-01-01Z')) * 1000)::float8, m.claim_token, m.attempts,
    o.kind, o.party::text, case when o.kind = 'external' then o.key::text end, o.recipient::text, o.shared,
    m.sent_from, (extract(epoch from m.sent_until) * 1000)::float8, m.submission_id, m.submission_party,
    m.submission_hash, m.hashing_scheme, m.sent_on, m.sent_by;
end $$;

-- The claim (I1, I6): choose, set aside, take. Fresh rows, or with p_look undecided ones. Always returns at least one row,
-- for the database's time. To add a column: see the end of src/store/README.md.
create or replace function mempool_claim_v1(
  p_look boolean, p_generation bigint, p_holder text, p_limit int, p_lease_ms float8, p_turn bigint,
  p_sent_from bigint, p_window_ms float8, p_low_water float8 default null
) returns table (
  answer text, db_now float8, low_water float8, id bigint, tx_hash bytea, from_address text, contract_address text,
  recipient_address text, nonce bigint, amount_data bytea, created_at float8, claim_token uuid, attempts int,
  sender_kind text, sender_party text, sender_key text, recipient_party text, nonce_shared boolean,
  sent_from bigint, sent_until float8, submission_id text, submission_party text,
  submission_hash bytea, hashing_scheme int, sent_on int, sent_by text
) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
declare
  v_pin mempool_submitter_v1;
  v_all_paused boolean;
  v_tokens text[];
  v_senders bigint[];
  v_ids bigint[];
  v_lanes bigint[];
  v_oldest timestamptz;
begin
  perform mempool_proven_v1();
  db_now := floor(extract(epoch from now()) * 1000);
  -- Whoever changes pins holds a stronger lock: a change is either seen below or waits for this claim.
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  if mempool_stale_v1(v_pin, p_generation) then
    answer := 'stale';
    return next;
    return;
  end if;
  -- What people have paused is in force here, for every instance and every build. A look sends nothing, so it goes on.
  if not p_look and exists (select from mempool_pauses_v1) then
    select bool_or(p.scope = 'all'), array_agg(p.address) filter (where p.scope = 'token'),
           array_agg(mempool_sender_v1(p.address)) filter (where p.scope = 'sender')
      into v_all_paused, v_tokens, v_senders from mempool_pauses_v1 p;
    if v_all_paused then
      answer := 'paused';
      low_water := coalesce(p_low_water, 0);
      return next;
      return;
    end if;
  end if;
  select c.ids, c.lanes, c.oldest into v_ids, v_lanes, v_oldest from mempool_choose_v1(
    p_look, v_pin.lanes = 'sender' or (v_pin.lanes = 'holdings' and not p_look), p_limit, p_turn,
    coalesce(to_timestamp(p_low_water / 1000), '-infinity'), v_tokens, v_senders, v_pin.lanes = 'holdings') c;
  low_water := floor(extract(epoch from coalesce(v_oldest, now())) * 1000);
  if cardinality(v_ids) > 0 then
    for id, tx_hash in select s.id, s.tx_hash from mempool_set_aside_v1(v_pin, p_look, v_ids) s loop
      answer := 'parked';
      return next;
    end loop;
    id := null;
    tx_hash := null;
    return query
    select 'row'::text, db_now, low_water, t.* from mempool_take_v1(
      v_pin, p_look, v_ids, v_lanes, p_holder, p_lease_ms, p_sent_from, p_window_ms) t;
    if found then
      perform mempool_synced_v1();
      return;
    end if;
  end if;
  answer := 'none';
  return next;
end $$;

-- The write-ahead (I4): the record, fenced, durable before the request leaves.
create or replace function mempool_write_ahead_v1(
  p_generation bigint, p_id bigint, p_token uuid, p_sent_from bigint, p_sent_until timestamptz,
  p_submission_id text, p_party text, p_hash bytea, p_scheme int, p_sent_on int
) returns text language plpgsql volatile set search_path from current as $$
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
   where m.id = p_id and (m.claim_token = p_token) is true and m.status = 'pending';
  if not found then return 'fenced'; end if;
  perform mempool_synced_v1();
  return 'written';
end $$;

-- LANES=holdings: which holdings this party's undecided rows have reserved. Null: a row whose submission nobody remembers may
-- spend any of them; once it is parked it steps aside.
create or replace function mempool_reserved_v1(p_party text) returns table (id bigint, inputs text[])
language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
begin
  return query
  select r.id, r.sent_inputs from mempool r
   where r.status = 'pending' and r.sent_until is not null and r.submission_party = p_party
     and (r.sent_inputs is not null or r.available_at < 'infinity');
end $$;

-- LANES=holdings: the write-ahead, and with it the holdings that the row spends (I6). One at a time for each party, whose
-- holdings more than one sender may spend; after the lock, the queries below are younger than whatever was reserved before.
-- `earlier`: a lower row of the sender has no record, or none any more, and begins first. `lane_waits`: the next may begin now.
create or replace function mempool_reserve_v1(
  p_generation bigint, p_id bigint, p_token uuid, p_sent_from bigint, p_sent_until timestamptz,
  p_submission_id text, p_party text, p_hash bytea, p_scheme int, p_sent_on int, p_inputs text[],
  out answer text, out lane_waits boolean
) language plpgsql volatile set search_path from current as $$
declare
  v_pin mempool_submitter_v1;
  v_lane bigint;
  v_lowest bigint;
begin
  lane_waits := false;
  perform mempool_proven_v1();
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  if mempool_stale_v1(v_pin, p_generation) then answer := 'stale'; return; end if;
  perform pg_advisory_xact_lock(hashtextextended(p_party, 1));
  if exists (select from mempool_reserved_v1(p_party) r where r.inputs is null or r.inputs && p_inputs) then
    answer := 'reserved';
    return;
  end if;
  v_lane := (select mempool_sender_v1(r.from_address) from mempool r where r.id = p_id);
  v_lowest := (select r.id from mempool r
    where r.status = 'pending' and r.available_at < 'infinity' and mempool_sender_v1(r.from_address) = v_lane
      and (r.sent_until is null) = true
    order by mempool_sender_v1(r.from_address), (r.sent_until is null), r.nonce, r.id limit 1);
  if v_lowest <> p_id then answer := 'earlier'; return; end if;
  update mempool r
     set sent_from = p_sent_from, sent_until = p_sent_until, submission_id = p_submission_id, submission_party = p_party,
         sent_inputs = p_inputs, submission_hash = p_hash, hashing_scheme = p_scheme, sent_on = p_sent_on, sent_by = null
   where r.id = p_id and (r.claim_token = p_token) is true and r.status = 'pending';
  if not found then answer := 'fenced'; return; end if;
  perform mempool_synced_v1();
  answer := 'written';
  lane_waits := exists (select from mempool x where x.status = 'pending' and x.available_at < 'infinity'
    and mempool_sender_v1(x.from_address) = v_lane and (x.sent_until is null) = true);
end $$;

-- LANES=holdings: what a claimed row waits on once it is given back. Fenced (I2).
create or replace function mempool_await_v1(p_id bigint, p_token uuid, p_on bigint[], p_wait_ms float8) returns void
language plpgsql volatile set search_path from current as $$
begin
  perform mempool_proven_v1();
  update mempool w set waits_on = p_on, waits_until = now() + p_wait_ms * interval '1 ms'
   where w.id = p_id and (w.claim_token = p_token) is true and w.status = 'pending';
end $$;

-- Settle (I2): fenced by token and status; rows are locked in order of id, so that settlers do not deadlock. p_waits: null
-- leaves the row available when it was, Infinity parks it, a number is a backoff in ms. p_traffic: what is known of the cost, for
-- the row's story, which is written here too. An earlier build does not pass p_traffic.
create or replace function mempool_settle_v1(
  p_wait_for_locks boolean, p_ids bigint[], p_tokens uuid[], p_generations bigint[], p_bounds float8[], p_kinds text[],
  p_update_ids text[], p_offsets bigint[], p_messages text[], p_errors text[], p_clears boolean[], p_waits float8[],
  p_counts int[], p_traffic bigint[] default null
) returns table (id bigint, lane_waits boolean, refused text) language plpgsql volatile set search_path from current as $$
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
  -- The table before its rows, here and wherever rows are locked: whoever changes pins locks in this order too.
  lock table mempool in row exclusive mode;
  select * into v_pin from mempool_submitter_v1;
  v_lanes := v_pin.lanes = 'sender';
  if p_wait_for_locks then
    v_ids := array(select m.id from mempool m where m.id = any (p_ids) order by m.id for update);
  else
    v_ids := array(select m.id from mempool m where m.id = any (p_ids) order by m.id for update skip locked);
  end if;
  -- I4, I5: `failed`, and a death (p_bounds: the bound of the record that was looked up), were concluded from bounds. They
  -- count only under the pins that the claim was checked against, while claims are not halted, and while the bound is what
  -- it was. P20: a process that was paused before a failover may find its token alive again, and the success of a later
  -- claim forgotten.
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
       where m.id = any (v_ids) and (m.claim_token = s.token) is true and m.status = 'pending'
         and (s.kind = 'failed' or (s.kind = 'pending' and s.clear and s.bound is not null))) r
     where r.why is not null;
    return query select r.id, false, r.why from unnest(v_refused, v_reasons) r(id, why);
  end if;
  -- I5: a `failed` lost in a crash would be judged again and might be paid; any other lost result is looked up.
  if 'failed' = any (p_kinds) then perform mempool_synced_v1(); end if;
  return query
  with settled as (
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
           -- Nothing here un-parks: a row that a person parked while it was in flight stays parked.
           available_at = case when s.wait is null or m.available_at = 'infinity' then m.available_at
             when s.wait = 'Infinity' then 'infinity' else now() + s.wait * interval '1 ms' end,
           attempts = greatest(least(m.attempts::bigint + coalesce(s.counted, 0), 2147483647), 0),
           -- The whole record, kept or, where the query gives no row, set to null.
           (sent_from, sent_until, submission_id, submission_party, submission_hash, hashing_scheme, sent_on, sent_by,
            sent_inputs) = (
             select m.sent_from, m.sent_until, m.submission_id, m.submission_party, m.submission_hash, m.hashing_scheme,
                    m.sent_on, m.sent_by, m.sent_inputs
              where not s.clear),
           updated_at = now()
      -- With the row as it was claimed, for its story.
      from (select u.*, u.kind in ('completed', 'failed') as final, o.tx_hash, o.attempts, o.claimed_by, o.claimed_at, o.submission_id
              from unnest(p_ids, p_tokens, p_bounds, p_kinds, p_update_ids, p_offsets, p_messages, p_errors, p_clears, p_waits,
                     p_counts, p_traffic)
                u(id, token, bound, kind, update_id, completion_offset, message, error, clear, wait, counted, traffic)
              join mempool o on o.id = u.id) s
     where m.id = s.id and m.id = any (v_ids) and m.id <> all (v_refused) and (m.claim_token = s.token) is true and m.status = 'pending'
    -- Whether the settler may claim the sender's next row at once: one probe of the lane.
    returning m.id, case when v_pin.lanes = 'holdings' then exists (
        select from mempool x where x.status = 'pending' and x.available_at < 'infinity'
           and mempool_sender_v1(x.from_address) = mempool_sender_v1(m.from_address) and (x.sent_until is null) = true
           and x.id <> m.id)
      else v_lanes and exists (
        select from mempool x where x.status = 'pending' and x.available_at < 'infinity'
           and mempool_sender_v1(x.from_address) = mempool_sender_v1(m.from_address) and x.id <> m.id) end as lane_waits,
      s.tx_hash, case when s.bound is null then 'attempt' else 'look' end as kind, s.attempts, s.claimed_by, s.claimed_at,
      case when s.final then s.kind when m.available_at = 'infinity' then 'parked' when not s.clear then 'undecided'
        when s.bound is not null then 'dead' when s.counted < 0 then 'released' else 'retry' end as outcome,
      s.error, s.update_id, s.completion_offset, s.submission_id, s.traffic
  ), told as (
    insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, holder, began_at, outcome, error, update_id, completion_offset,
      submission_id, traffic_bytes)
    select d.id, d.tx_hash, d.kind, d.attempts, d.claimed_by, d.claimed_at, d.outcome, d.error, d.update_id, d.completion_offset,
           d.submission_id, d.traffic
      from settled d
  )
  select d.id, d.lane_waits, null::text from settled d;
end $$;

-- Renew (I1): writes lease_expires_at alone, so that it is a HOT update.
create or replace function mempool_renew_v1(p_wait_for_locks boolean, p_tokens uuid[], p_lease_ms float8)
returns setof uuid language plpgsql volatile set search_path from current as $$
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

-- Rescue (I3): takes the token off claims whose lease has run out. A record stays. Waits for no row.
create or replace function mempool_rescue_v1(p_limit int) returns setof bigint
language plpgsql volatile set search_path from current as $$
declare
  v_ids bigint[];
begin
  perform mempool_proven_v1();
  lock table mempool in row exclusive mode;
  v_ids := array(select m.id from mempool m
    where m.status = 'pending' and m.claim_token is not null and coalesce(m.lease_expires_at, '-infinity') <= now()
    limit p_limit for update skip locked);
  if cardinality(v_ids) = 0 then return; end if;
  -- Record in the story what the previous holder lost.
  with held as materialized (
    select m.id, m.tx_hash, m.claimed_by, m.claimed_at, m.attempts, m.submission_id,
           case when m.sent_until is not null and m.submission_id is distinct from m.claim_token::text then 'look' else 'attempt' end as kind
      from mempool m where m.id = any (v_ids)
  ), told as (
    insert into mempool_attempts_v1 (row_id, tx_hash, kind, number, holder, began_at, outcome, submission_id)
    select h.id, h.tx_hash, h.kind, h.attempts, h.claimed_by, h.claimed_at, 'lost', h.submission_id from held h
  )
  update mempool_instances_v1 i set lost_rows = i.lost_rows + l.rows
    -- Not counted where its row is locked: two rescues would wait for one another.
    from (select x.holder, l.rows from (select h.claimed_by, count(*)::int as rows from held h group by 1) l
            join mempool_instances_v1 x on x.holder = l.claimed_by for update of x skip locked) l
   where i.holder = l.holder;
  return query
  update mempool m set claim_token = null, claimed_by = null, claimed_at = null, lease_expires_at = null
   where m.id = any (v_ids)
  returning m.id;
end $$;

-- Heartbeat: an instance says how it is (mempool_instances_v1), and hears what is paused. Not synced: nothing rests on it. Takes
-- one jsonb, so that builds which tell more or less share it.
create or replace function mempool_beat_v1(p_holder text, p_beat jsonb)
returns table (scope text, address text, reason text) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into mempool_instances_v1 as i (holder, instance, version, protocol, settings, lease_ms, beat_ms, stopped_at, ready, blockers,
    submissions, looks, oldest_held_at, ended_last_minute, counters)
  select p_holder, b.instance, b.version, b.protocol, b.settings, b.lease_ms, b.beat_ms, case when b.stopped then now() end,
         b.ready, b.blockers, b.submissions, b.looks, to_timestamp(b.oldest_held_at / 1000), b.ended_last_minute, b.counters
    from jsonb_to_record(p_beat) b(instance text, version text, protocol int, settings jsonb, lease_ms float8, beat_ms float8,
      stopped boolean, ready boolean, blockers jsonb, submissions int, looks int, oldest_held_at float8, ended_last_minute int,
      counters jsonb)
  on conflict (holder) do update
     set seen_at = now(), stopped_at = excluded.stopped_at, ready = excluded.ready,
         ready_changed_at = case when i.ready = excluded.ready then i.ready_changed_at else now() end,
         blockers = excluded.blockers, submissions = excluded.submissions, looks = excluded.looks,
         oldest_held_at = excluded.oldest_held_at, ended_last_minute = excluded.ended_last_minute, counters = excluded.counters;
  return query select p.scope, p.address, p.reason from mempool_pauses_v1 p order by p.since;
end $$;

-- What the functions that a session calls run under, and those that they call in turn. Settings of a function, since a
-- transaction pooler drops a session's. Plans: the index scans, whatever the statistics said when they were made; and a fence
-- is written `(claim_token = …) is true`, since a plan made while nothing was in flight would otherwise find the row by reading
-- the whole index of rows in flight, which holds every one that ended while somebody keeps an old snapshot open.
-- lock_timeout: where somebody keeps a lock on the table, backends of callers that have long given up must not pile up.
-- row_security: off, Postgres refuses a statement from which a policy would hide rows; on, they would be lost in silence.
do $$
declare
  v_function text;
  v_lock_timeout text;
begin
  for v_function, v_lock_timeout in
    select p.oid::regprocedure, called.lock_timeout
      from (values ('mempool_claim_v1', '2s'), ('mempool_write_ahead_v1', '2s'), ('mempool_rescue_v1', '2s'),
                   ('mempool_reserved_v1', '2s'), ('mempool_reserve_v1', '2s'), ('mempool_await_v1', '2s'),
                   ('mempool_settle_v1', '1s'), ('mempool_renew_v1', '1s')) called (name, lock_timeout)
      join pg_proc p on p.proname = called.name and pg_function_is_visible(p.oid)
  loop
    execute format(
      'alter function %s set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
         set enable_mergejoin = off set plan_cache_mode = force_generic_plan set row_security = off set lock_timeout = %L',
      v_function, v_lock_timeout);
  end loop;
end $$;

-- @step after=pin: the settle of an earlier build, which took less: until the pin, its instances have outcomes to write with it
drop function if exists mempool_settle_v1(boolean, bigint[], uuid[], text[], text[], bigint[], text[], text[], boolean[], float8[], int[]);
