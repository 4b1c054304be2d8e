-- What the table does by itself: it rings when rows arrive, and it defends itself against writers that know nothing of
-- claims. Applied by `canton-submitter migrate` after schema.sql.

-- @step the doorbell: one transaction at a time notifies; the others see its lock and know that somebody is ringing.
-- NOTIFY takes a database-wide lock at commit, so a notification of each insert would make inserts queue behind each
-- other. Deferred: it runs at commit, so a long transaction does not silence the others. A row whose transaction found
-- the bell taken is found by the listener's trailing check, or by the poll (I8). The two ints name the bell; claims use
-- the one-bigint key space.
create or replace function mempool_doorbell_v1() returns trigger language plpgsql as $$
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
-- statement that also sets both to null, and it cannot be deleted; completed and failed become nothing but mined, and
-- mined nothing. Anything else changes no row and is logged.
create or replace function mempool_guard_v1() returns trigger language plpgsql as $$
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
  raise warning 'canton-submitter: refused to change mempool row % from % to %', old.id, old.status, new.status;
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
