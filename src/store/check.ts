// Whether the database is as `migrate` leaves it. `run` refuses to start on one that is not: a missing index is a slow
// claim, a missing trigger is a missing guarantee; and a row that a policy hides is a row that nobody does.
import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import { SEES_ALL } from './errors.js';
import { type Lanes, readSteps, type SameNonce, wantedFor } from './migrate/steps.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/** $1 names of indexes, $2 of functions, $3 of triggers; returns what is not there, or not in force. */
const MISSING: Statement<{ readonly problem: string }> = {
  text: `select 'index ' || n || case when i.indexrelid is null then ' is missing' else ' is invalid' end as problem
      from unnest($1::text[]) n left join pg_index i on i.indexrelid = to_regclass(n)
     where i.indexrelid is null or not (i.indisvalid and i.indisready)
    union all
    select 'function ' || n || ' is missing' from unnest($2::text[]) n
     where not exists (select from pg_proc p where p.proname = n and pg_function_is_visible(p.oid))
    union all
    select 'trigger ' || n || ' is missing or disabled' from unnest($3::text[]) n
     where not exists (select from pg_trigger t
       where t.tgrelid = to_regclass('mempool') and t.tgname = n and t.tgenabled in ('O', 'A'))`,
};

/** Empty: all is well. Else what is wrong, in words; `canton-submitter migrate` puts it right. */
export async function schemaProblems(
  database: Database,
  lanes: Lanes,
  sameNonce: SameNonce = 'pay',
): Promise<readonly string[]> {
  const steps = readSteps().filter(wantedFor(lanes, sameNonce));
  const sql = steps.map((step) => step.sql).join('\n');
  const all = (pattern: RegExp): string[] => [...sql.matchAll(pattern)].map((match) => match[1] ?? '');
  const rows = await database.run(MISSING, [
    steps.flatMap((step) => (step.index === null ? [] : [step.index])),
    all(/create or replace function (\w+)/g),
    all(/create (?:constraint )?trigger (\w+)/g),
  ]);
  return rows.map((row) => row.problem);
}

/** Also where a pooler keeps the session from asking for `row_security = off`, which makes it an error everywhere else. */
const HIDDEN: Statement<{ readonly name: string; readonly role: string }> = {
  text: `select n as name, current_user as role
      from unnest(array['mempool', 'users', 'mempool_submitter_v1', 'mempool_submitter_audit_v1']) n
     where row_security_active(to_regclass(n))`,
};

/** Of which of our tables this role sees a part at most, in words. */
export async function hiddenRows(database: Pick<Database, 'run'>): Promise<readonly string[]> {
  return (await database.run(HIDDEN, [])).map(({ name, role }) => `table ${name}, role ${role}: ${SEES_ALL}`);
}

/** The same within a migration. Throws ConfigError. */
export async function seesAll(client: pg.ClientBase): Promise<void> {
  const problems = await hiddenRows({
    run: async (statement, values) =>
      (await client.query({ text: statement.text, values: [...values] })).rows,
  });
  if (problems.length > 0) throw new ConfigError(problems);
}
