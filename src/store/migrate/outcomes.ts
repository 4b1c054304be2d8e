// Whether outcomes are kept, and for whom: one switch for all instances, which is the trigger that writes the entries. No
// claim and no settle depends on it, so it raises no generation, and instances go on while it is turned.
import type pg from 'pg';
import { audit, type Decided, type Outcomes } from '../pins.js';
import { readPin } from './change-pins.js';
import { inTransaction, patiently } from './session.js';
import type { SqlStep } from './sql-files.js';

const PIN = 'update mempool_submitter_v1 set outcomes = $1';
export const PRINTED_PIN = (outcomes: Outcomes): string => `${PIN.replace('$1', `'${outcomes}'`)};\n`;

const TRIGGER =
  "select from pg_trigger where tgrelid = 'mempool'::regclass and tgname = 'mempool_outcome_v1'";
const OFF = 'drop trigger if exists mempool_outcome_v1 on mempool';

/** `wanted`, null: as it is pinned, so that a trigger that was lost is made again. */
export async function keepOutcomes(
  client: pg.Client,
  wanted: Outcomes | null,
  steps: readonly SqlStep[],
  decided: Decided,
  say: (line: string) => void,
): Promise<void> {
  const before = (await readPin(client))?.outcomes ?? 'off';
  const outcomes = wanted ?? before;
  const written = ((await client.query(TRIGGER)).rowCount ?? 0) > 0;
  if (outcomes === before && written === (outcomes !== 'off')) return;
  await patiently(say, () =>
    inTransaction(client, async () => {
      if (outcomes === 'off') await client.query(OFF);
      else for (const step of steps) if (step.writesOutcomes) await client.query(step.sql);
      await client.query(PIN, [outcomes]);
      if (outcomes !== before) await audit(client, 'pins', { outcomes_before: before, outcomes }, decided);
    }),
  );
  say(SAID[outcomes]);
}

const SAID: Readonly<Record<Outcomes, string>> = {
  off: 'outcomes are not kept any more; entries that are there stay, and nothing delivers them',
  consumers: 'every outcome from now on is kept for consumers of the library',
  webhooks:
    'every outcome from now on is kept, and delivered by the instances that have WEBHOOK_URL; set it on the others and restart them to deliver from there too',
};
