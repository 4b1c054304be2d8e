// For tests that hold a statement of ours up at a lock: our functions give a lock up after a second or two, and how long
// the test takes meanwhile must not matter. But for the rescue's: claims and looks of a poll come after it.
export async function waitForLocks(query: (sql: string) => Promise<unknown>): Promise<void> {
  await query(`do $$ declare ours regprocedure; begin
    for ours in select oid from pg_proc
      where proname like 'mempool\\_%' and proname <> 'mempool_rescue_v1' and array_to_string(proconfig, ',') like '%lock_timeout%'
    loop execute format('alter function %s set lock_timeout = 0', ours); end loop;
  end $$`);
}
