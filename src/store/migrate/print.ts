// What `migrate` would run on an empty or an old database, as one script for psql.

import { PROTOCOL } from '../pins.js';
import { byValue } from '../senders.js';
import { refuseParkWithoutLanes } from './change-pins.js';
import { type FirstPin, type OldUser, printFirstPin } from './first-pin.js';
import { RETIRED } from './indexes.js';
import { OWN_SCHEMA } from './migration.js';
import { readSteps, type Step, wantedFor } from './steps.js';

const makesApiTables = (step: Step): boolean => step.sql.includes('create table if not exists mempool (');

/** In the place of making them: a second queue, which nobody fills, would look like one that is empty. */
const ONLY_THERE = `do $$ begin
  if to_regclass('mempool') is null or to_regclass('users') is null then
    raise exception 'there is no table mempool, or no table users, in database % where search_path (%) leads', current_database(), current_setting('search_path')
      using hint = 'for a trial without the API: migrate --print --create';
  end if;
end $$;
`;

/** As `migrate` runs a step: nobody sees half of it. */
const inTransaction = (sql: string): string => `begin;\n${sql}commit;\n`;

/** `create`: makes the API's tables where they are absent; else it fails there, before anything is changed. */
export function printMigration(
  pin: FirstPin,
  oneStepTokens: readonly string[] | null,
  oldUser: OldUser | null,
  create: boolean,
): string {
  refuseParkWithoutLanes(pin);
  const steps = readSteps().filter(wantedFor(pin.lanes, pin.sameNonce));
  const oneStep = oneStepTokens?.map(byValue) ?? null;
  return [
    '-- canton-submitter migrate --print: apply with psql -v ON_ERROR_STOP=1 (no single transaction: indexes are built concurrently).',
    '-- Stop the old submitter three minutes before.',
    "set lock_timeout = '2s';",
    `${OWN_SCHEMA};`,
    '',
    // `create index concurrently` waits for old transactions, and blocks nobody while it does.
    ...steps.flatMap((step) =>
      step.afterPin
        ? []
        : step.index
          ? ['set lock_timeout = 0;', step.sql, "set lock_timeout = '2s';"]
          : [makesApiTables(step) && !create ? ONLY_THERE : inTransaction(step.sql)],
    ),
    printFirstPin(pin, PROTOCOL, oneStep, oldUser),
    ...steps.filter((step) => step.afterPin).map((step) => inTransaction(step.sql)),
    ...RETIRED.map((name) => `drop index concurrently if exists ${name};`),
  ].join('\n');
}
