// What `migrate` would run on an empty or an old database, as one script for psql.
import { refuseParkWithoutLanes } from './change-pins.js';
import { type FirstPin, type OldUser, printFirstPin } from './first-pin.js';
import { RETIRED } from './indexes.js';
import { OWN_SCHEMA } from './migration.js';
import { PROTOCOL } from './pins.js';
import { byValue } from './senders.js';
import { readSteps, wantedFor } from './steps.js';

export function printMigration(
  pin: FirstPin,
  oneStepTokens: readonly string[] | null,
  oldUser: OldUser | null,
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
          : [step.sql],
    ),
    printFirstPin(pin, PROTOCOL, oneStep, oldUser),
    ...steps.filter((step) => step.afterPin).map((step) => step.sql),
    ...RETIRED.map((name) => `drop index concurrently if exists ${name};`),
  ].join('\n');
}
