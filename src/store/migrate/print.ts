// `migrate --print`: what `migrate` would run on a new database or on an earlier build's, as one script for psql.
import { type Outcomes, PROTOCOL } from '../pins.js';
import { byValue } from '../users.js';
import { refuseParkWithoutLanes } from './change-pins.js';
import { type FirstPin, type OldUser, printFirstPin } from './first-pin.js';
import { RETIRED } from './indexes.js';
import { PRINTED_PIN } from './outcomes.js';
import { OWN_SCHEMA } from './session.js';
import { readSqlSteps, type SqlStep, wantedFor } from './sql-files.js';

const makesApiTables = (step: SqlStep): boolean => step.sql.includes('create table if not exists mempool (');

/** Instead of making them: a second queue, which nobody fills, would look like an empty one. */
const ONLY_THERE = `do $$ begin
  if to_regclass('mempool') is null or to_regclass('users') is null then
    raise exception 'there is no table mempool, or no table users, in database % where search_path (%) leads', current_database(), current_setting('search_path')
      using hint = 'for a trial without the API: migrate --print --create';
  end if;
end $$;
`;

/** As `migrate` runs a step, so that nobody sees half of it. */
const asTransaction = (sql: string): string => `begin;\n${sql}commit;\n`;

/** `create`: make the API's tables where they are absent. Otherwise the script fails there, before it changes anything. */
export function printMigration(
  pin: FirstPin,
  oneStepTokens: readonly string[] | null,
  oldUser: OldUser | null,
  create: boolean,
  outcomes: Outcomes = 'off',
): string {
  refuseParkWithoutLanes(pin);
  const steps = readSqlSteps().filter(wantedFor(pin.lanes, pin.sameNonce, outcomes));
  const oneStep = oneStepTokens?.map(byValue) ?? null;
  return [
    '-- canton-submitter migrate --print: apply with psql -v ON_ERROR_STOP=1 (no single transaction: indexes are built concurrently).',
    '-- Stop the old submitter three minutes before.',
    "set lock_timeout = '2s';",
    `${OWN_SCHEMA};`,
    '',
    // `create index concurrently` waits for old transactions, and blocks nobody meanwhile.
    ...steps.flatMap((step) =>
      step.afterPin
        ? []
        : step.index
          ? ['set lock_timeout = 0;', step.sql, "set lock_timeout = '2s';"]
          : [makesApiTables(step) && !create ? ONLY_THERE : asTransaction(step.sql)],
    ),
    printFirstPin(pin, PROTOCOL, oneStep, oldUser),
    ...(outcomes === 'off' ? [] : [asTransaction(PRINTED_PIN(outcomes))]),
    ...steps.filter((step) => step.afterPin).map((step) => asTransaction(step.sql)),
    ...RETIRED.map((name) => `drop index concurrently if exists ${name};`),
  ].join('\n');
}
