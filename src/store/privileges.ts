// What the service's role may do, against what docs/operations.md lists.
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

const LACKING: Statement<{ readonly what: string }> = {
  text: `select p || ' on ' || t as what
      from (values ('mempool', 'select'), ('mempool', 'update'), ('users', 'select'),
                   ('mempool_submitter_v1', 'select'), ('mempool_submitter_v1', 'update'),
                   ('mempool_submitter_audit_v1', 'insert'), ('mempool_ended_v1', 'select')) needed (t, p)
     where to_regclass(t) is not null and not has_table_privilege(to_regclass(t), p)
       -- Of the API's users, who reads a part of the columns may well read those that we ask for.
       and not (t = 'users' and has_any_column_privilege(to_regclass(t), p))
    union all
    select 'execute on ' || f.oid::regprocedure from pg_proc f
     where f.proname like 'mempool\\_%\\_v1' and pg_function_is_visible(f.oid)
       and not has_function_privilege(f.oid, 'execute')`,
};

/** Empty: nothing is lacking, of the tables and functions that are there. */
export async function lackingPrivileges(database: Database): Promise<readonly string[]> {
  return (await database.run(LACKING, [])).map(({ what }) => what);
}
