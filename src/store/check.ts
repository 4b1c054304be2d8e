// Whether the database is as `migrate` leaves it, and whether this role may use it. `run` refuses to start otherwise: a
// missing index makes claims slow, a missing trigger takes a guarantee away, and a row that a policy hides is never sent.
import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import { SEES_ALL } from './errors.js';
import {
  functionsIn,
  indexedTable,
  isUnique,
  readSqlSteps,
  type SqlStep,
  triggersIn,
  wantedFor,
} from './migrate/sql-files.js';
import { readOutcomes } from './outbox.js';
import type { Lanes, Outcomes, SameNonce } from './pins.js';
import type { Database } from './pool.js';
import { FUNCTIONS, OUTBOX_FUNCTIONS, OUTBOX_TABLES, TABLES } from './privileges.js';
import type { Statement } from './statements.js';

/**
 * $1 names of indexes, $2 their tables, $3 names of functions, $4 of triggers; returns those that are missing or not in force.
 * Where a table was replaced by a copy, the old one keeps the indexes with their names. Reads the catalog alone.
 */
const MISSING: Statement<{ readonly problem: string }> = {
  text: `select 'index ' || n || case when i.indexrelid is null then ' is missing'
        when i.indrelid is distinct from to_regclass(t)
          then format(' is missing: table %s has the one of this name, so rename or drop that one first', i.indrelid::regclass)
        else ' is invalid' end as problem
      from unnest($1::text[], $2::text[]) w (n, t) left join pg_index i on i.indexrelid = to_regclass(n)
     where i.indexrelid is null or i.indrelid is distinct from to_regclass(t) or not (i.indisvalid and i.indisready)
    union all
    select 'function ' || n || ' is missing' from unnest($3::text[]) n
     where not exists (select from pg_proc p where p.proname = n and pg_function_is_visible(p.oid))
    union all
    select 'trigger ' || n || ' is missing or disabled' from unnest($4::text[]) n
     where not exists (select from pg_trigger t
       where t.tgrelid = to_regclass('mempool') and t.tgname = n and t.tgenabled in ('O', 'A'))`,
};

/** Read once: an instance asks every few seconds. */
const STEPS = readSqlSteps();

/** What is not as it should be, in words; `canton-submitter migrate` puts it right. Empty: all is well. */
export async function schemaProblems(
  database: Database,
  lanes: Lanes,
  sameNonce: SameNonce = 'pay',
  outcomes: Outcomes = 'off',
): Promise<readonly string[]> {
  const steps = STEPS.filter(wantedFor(lanes, sameNonce, outcomes));
  return await missingOf(database, steps, functionsIn(sqlOf(steps)));
}

/** Without it rows are found by the poll: later, and nothing else (I8). */
const DOORBELL = 'create constraint trigger mempool_doorbell_v1';

/**
 * The same for an instance that runs, of what keeps money alone: the triggers that guard and remember, and the unique indexes.
 * A statement that misses a function says so itself, while nobody notices a trigger that does not fire.
 */
export async function missingWhileRunning(
  database: Database,
  { lanes, sameNonce }: { readonly lanes: Lanes; readonly sameNonce: SameNonce },
): Promise<readonly string[]> {
  const outcomes = (await readOutcomes(database)) ?? 'off';
  const guards = (step: SqlStep): boolean =>
    step.index === null ? !step.sql.includes(DOORBELL) : isUnique(step);
  return await missingOf(database, STEPS.filter(wantedFor(lanes, sameNonce, outcomes)).filter(guards), []);
}

async function missingOf(
  database: Database,
  steps: readonly SqlStep[],
  functions: readonly string[],
): Promise<readonly string[]> {
  const indexes = steps.filter(({ index }) => index !== null);
  const rows = await database.run(MISSING, [
    indexes.map(({ index }) => index),
    indexes.map(indexedTable),
    functions,
    triggersIn(sqlOf(steps)),
  ]);
  return rows.map((row) => row.problem);
}

const sqlOf = (steps: readonly SqlStep[]): string => steps.map(({ sql }) => sql).join('\n');

/** Asked for also because a pooler may keep the session from setting `row_security = off`, which makes it an error elsewhere. */
const HIDDEN: Statement<{ readonly name: string; readonly role: string }> = {
  text: `select n as name, current_user as role
      from unnest(array['mempool', 'users', 'mempool_submitter_v1', 'mempool_submitter_audit_v1', 'mempool_pauses_v1',
        'mempool_instances_v1', 'mempool_attempts_v1', 'mempool_outbox_v1', 'mempool_outbox_lanes_v1',
        'mempool_outbox_consumers_v1', 'mempool_outbox_counter_v1']) n
     where row_security_active(to_regclass(n))`,
};

/** Our tables in which a policy may hide rows from this role, in words. */
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

/** $1 tables with $2 what is needed on them, $3 names of functions; returns what the role may not do. */
const LACKING: Statement<{ readonly what: string }> = {
  text: `select p || ' on ' || t as what
      from unnest($1::text[], $2::text[]) needed (t, p)
     where to_regclass(t) is not null and not has_table_privilege(to_regclass(t), p)
       -- A role that may read some columns of users may well read those that we ask for.
       and not (t = 'users' and has_any_column_privilege(to_regclass(t), p))
    union all
    select 'execute on ' || f.oid::regprocedure from pg_proc f
     where f.proname = any($3) and pg_function_is_visible(f.oid) and not has_function_privilege(f.oid, 'execute')`,
};

/** Privileges that the service's role lacks on the tables and functions that exist. */
export const lackingPrivileges = (database: Database): Promise<readonly string[]> =>
  lacking(database, TABLES, FUNCTIONS);

async function lacking(
  database: Database,
  tables: typeof TABLES,
  functions: typeof FUNCTIONS,
): Promise<readonly string[]> {
  const needed = Object.entries(tables).flatMap(([table, { run = '' }]) =>
    run === '' ? [] : run.split(', ').map((what) => ({ table, what })),
  );
  const rows = await database.run(LACKING, [
    needed.map(({ table }) => table),
    needed.map(({ what }) => what),
    Object.keys(functions).filter((name) => functions[name]?.run !== undefined),
  ]);
  return rows.map(({ what }) => what);
}

/** What an instance that delivers webhooks lacks, besides. */
export const lackingForWebhooks = (database: Database): Promise<readonly string[]> =>
  lacking(database, OUTBOX_TABLES, OUTBOX_FUNCTIONS);

const CLOCK: Statement<{ readonly now: number }> = {
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
};

/** The database's clock, in ms since the epoch. */
export async function askDatabaseTime(database: Database): Promise<number> {
  const [row] = await database.run(CLOCK, []);
  if (row === undefined) throw new Error('the database did not tell its time');
  return row.now;
}
