-- What the table does by itself: it rings when rows arrive, and defends itself against writers that know nothing about
-- claims. Applied by `canton-submitter migrate` after schema.sql and protocol.sql.

-- @step the doorbell: one transaction at a time notifies; the others see its lock and know that somebody is ringing.
-- NOTIFY takes a database-wide lock at commit, so a notification for each insert would make inserts queue behind each
-- other. The trigger is deferred: it runs at commit, so that a long transaction does not silence the others. A row whose
-- transaction found the bell taken is found by the listener's trailing check, or by the poll (I8). The two ints are the
-- bell's lock; claims use the key space of one bigint.
create or replace function mempool_doorbell_v1() returns trigger language plpgsql set search_path from current as $$
begin
  if pg_try_advisory_xact_lock(1835363696, 1) then
    perform pg_notify('mempool_wakeup_v1', '');
  end if;
  return null;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_doorbell_v1') then
    create constraint trigger mempool_doorbell_v1 after insert on mempool
      deferrable initially deferred for each row execute function mempool_doorbell_v1();
  end if;
end $$;

-- @step the guard (I5, P15): while a pending row has a lease (run out or not) or a record, its status changes only in a
-- statement that also sets both to null, and it cannot be deleted; completed and failed can only become mined, and mined
-- cannot change. Anything else changes no row and is logged.
create or replace function mempool_guard_v1() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'DELETE' then
    if old.status <> 'pending' or (old.lease_expires_at is null and old.sent_until is null) then return old; end if;
    raise warning 'canton-submitter: refused to delete mempool row %, which is claimed or undecided', old.id;
    return null;
  end if;
  if old.status in ('completed', 'failed') and new.status = 'mined' then return new; end if;
  if old.status not in ('completed', 'failed', 'mined')
     and ((old.lease_expires_at is null and old.sent_until is null)
       or (new.lease_expires_at is null and new.sent_until is null)) then
    return new;
  end if;
  raise warning 'canton-submitter: refused to change mempool row % from % to %: %', old.id, old.status, new.status,
    case when old.status in ('completed', 'failed', 'mined') then 'completed, failed and mined are final'
         else 'it is claimed, or may still be accepted; to end it by hand, use `canton-submitter fail`' end;
  return null;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_guard_v1') then
    create trigger mempool_guard_v1 before update of status on mempool
      for each row when (old.status is distinct from new.status) execute function mempool_guard_v1();
  end if;
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_guard_delete_v1') then
    create trigger mempool_guard_delete_v1 before delete on mempool
      for each row execute function mempool_guard_v1();
  end if;
end $$;

-- @step the memory (I4): a hash that has ended is remembered by the transaction that deletes its row. Security definer, here
-- and below: whoever may write to mempool needs no privileges on our tables.
create or replace function mempool_remember_v1() returns trigger language plpgsql
security definer set search_path from current as $$
begin
  if old.status in ('completed', 'failed', 'mined') then
    insert into mempool_ended_v1 (tx_hash, status, error_message, update_id, ended_at)
    values (old.tx_hash, old.status, old.error_message, old.update_id, old.updated_at)
    on conflict (tx_hash) do update set status = excluded.status, error_message = excluded.error_message,
      update_id = coalesce(excluded.update_id, mempool_ended_v1.update_id), ended_at = excluded.ended_at;
  end if;
  return null;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_remember_v1') then
    create trigger mempool_remember_v1 after delete on mempool
      for each row execute function mempool_remember_v1();
  end if;
end $$;

-- @step the answer (I4): a row whose hash has ended is inserted with the status it ended with; a mined one the miner leaves
-- alone. A delete that commits at the same moment is not visible here; the claim sees it.
create or replace function mempool_answer_v1() returns trigger language plpgsql
security definer set search_path from current as $$
declare
  v_ended mempool_ended_v1;
begin
  if new.status <> 'pending' then return new; end if;
  select * into v_ended from mempool_ended_v1 e where e.tx_hash = new.tx_hash;
  if found then
    new.status := v_ended.status;
    new.error_message := v_ended.error_message;
    new.update_id := v_ended.update_id;
  end if;
  return new;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_answer_v1') then
    create trigger mempool_answer_v1 before insert on mempool
      for each row execute function mempool_answer_v1();
  end if;
end $$;

-- @step truncate, which fires no delete triggers: refused while rows are on their way to the ledger. What has ended is
-- remembered, and whatever is inserted again is looked up first, as after a restore.
create or replace function mempool_truncate_v1() returns trigger language plpgsql
security definer set search_path from current as $$
begin
  if exists (select from mempool m where m.status = 'pending' and (m.lease_expires_at is not null or m.sent_until is not null)) then
    raise exception 'canton-submitter: refused to truncate mempool: rows in it are claimed or undecided';
  end if;
  insert into mempool_ended_v1 (tx_hash, status, error_message, update_id, ended_at)
  select m.tx_hash, m.status, m.error_message, m.update_id, m.updated_at from mempool m
   where m.status in ('completed', 'failed', 'mined')
  on conflict (tx_hash) do nothing;
  update mempool_submitter_v1 set table_oid = 0;
  return null;
end $$;
do $$ begin
  if not exists (select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_truncate_v1') then
    create trigger mempool_truncate_v1 before truncate on mempool
      for each statement execute function mempool_truncate_v1();
  end if;
end $$;

-- @step a trigger of ours that was disabled is enabled again: instances claim nothing while one is
do $$
declare
  v_trigger text;
begin
  for v_trigger in
    select t.tgname from pg_trigger t
     where t.tgrelid = 'mempool'::regclass and not t.tgisinternal and t.tgname ~ '^mempool_[a-z_]+_v1$' and t.tgenabled in ('D', 'R')
  loop
    execute format('alter table mempool enable trigger %I', v_trigger);
  end loop;
end $$;
