// `migrate`: puts schema.sql and triggers.sql into the database and pins what all instances must agree on. Safe to run
// again, safe when killed half-way, safe beside a running API: no lock is waited for longer than two seconds, and
// indexes are built concurrently.
import type pg from 'pg';
import { ConfigError, Refusal } from '../core/errors.js';
import { changePins, readPin } from './change-pins.js';
import { seesAll } from './check.js';
import { findTables } from './discover.js';
import {
  type FirstPin,
  HOSTED_LEFTOVERS,
  INSERT_PIN,
  leftoverBoundMs,
  RECORD_LEFTOVERS,
} from './first-pin.js';
import { dropIndex, ensureIndex } from './indexes.js';
import { inTransaction, ofMigration, patiently } from './migration.js';
import { PROTOCOL } from './pins.js';
import { type Lanes, readSteps, type Step, wantedFor } from './steps.js';

export interface MigrateOptions {
  readonly url: string;
  /** Null: what is pinned, or the default. */
  readonly lanes: Lanes | null;
  readonly toleranceMs: number | null;
  readonly clockSkewMaxMs: number | null;
  /** Makes the API's tables where they are absent: for a trial without the API. Else that is an error. */
  readonly create?: boolean;
  /** Lets claims go on that were halted. */
  readonly clearsHalt?: boolean;
  /** Addresses of the tokens whose transfer is one step, from TOKENS_FILE; null where that is not set. */
  readonly oneStepTokens: readonly string[] | null;
  /** What it does, in plain words. */
  readonly say: (line: string) => void;
}

export const DEFAULTS: FirstPin = { lanes: 'sender', toleranceMs: 60_000, clockSkewMaxMs: 60_000 };

export async function migrate(options: MigrateOptions): Promise<void> {
  await ofMigration(options.url, options.say, async (client) => {
    if (!options.create) await findTables(client, options.url, options.say);
    await seesAll(client);
    const steps = readSteps();
    const pinnedBefore = await readPin(client);
    if (pinnedBefore !== null && pinnedBefore.protocol > PROTOCOL) {
      throw new Refusal(
        `this database belongs to a newer canton-submitter (protocol ${pinnedBefore.protocol}, this one speaks ${PROTOCOL}): update first`,
      );
    }
    for (const step of steps)
      if (step.index === null && !step.afterPin) await apply(client, step, options.say);
    options.say('table, columns, functions and triggers are in place');

    const wanted: FirstPin = {
      lanes: options.lanes ?? pinnedBefore?.lanes ?? DEFAULTS.lanes,
      toleranceMs: options.toleranceMs ?? pinnedBefore?.tolerance_ms ?? DEFAULTS.toleranceMs,
      clockSkewMaxMs: options.clockSkewMaxMs ?? pinnedBefore?.clock_skew_max_ms ?? DEFAULTS.clockSkewMaxMs,
    };
    const indexes = steps.filter((step) => step.index !== null && wantedFor(wanted.lanes)(step));
    // While claims without lanes may still be in flight, the one index that forbids them has to wait.
    const turningOn = pinnedBefore?.lanes === 'off' && wanted.lanes === 'sender';
    for (const step of indexes)
      if (!(turningOn && isUnique(step))) await ensureIndex(client, step, options.say);

    if (pinnedBefore === null) await firstPin(client, wanted, options);
    else {
      const pins = { ...wanted, clearsHalt: options.clearsHalt ?? false };
      await changePins(client, pinnedBefore, pins, steps, options.say);
    }

    for (const step of indexes) await ensureIndex(client, step, options.say);
    for (const step of steps) {
      if (step.index !== null && !wantedFor(wanted.lanes)(step))
        await dropIndex(client, step.index, options.say);
      if (step.afterPin) await apply(client, step, options.say);
    }
    options.say('done');
  });
}

const isUnique = (step: Step): boolean => step.sql.includes('create unique index');

async function apply(client: pg.Client, step: Step, say: MigrateOptions['say']): Promise<void> {
  await patiently(say, () =>
    inTransaction(client, async () => {
      await client.query(step.sql);
    }),
  );
}

async function firstPin(client: pg.Client, pin: FirstPin, options: MigrateOptions): Promise<void> {
  await patiently(options.say, () =>
    inTransaction(client, async () => {
      const inserted = await client.query(INSERT_PIN, [
        PROTOCOL,
        pin.lanes,
        pin.toleranceMs,
        pin.clockSkewMaxMs,
      ]);
      if (inserted.rowCount === 0) return;
      if (options.oneStepTokens === null) {
        const { rows } = await client.query<{ some: boolean }>(HOSTED_LEFTOVERS);
        if (rows[0]?.some) {
          throw new ConfigError([
            'TOKENS_FILE: required here, since rows of hosted senders are pending: whether their earlier submissions can still commit depends on their token',
          ]);
        }
      }
      const records = await client.query(RECORD_LEFTOVERS, [
        (options.oneStepTokens ?? []).map((address) => address.toLowerCase()),
        leftoverBoundMs(pin),
      ]);
      options.say(
        `pinned: lanes ${pin.lanes}, tolerance ${pin.toleranceMs} ms, clock skew ${pin.clockSkewMaxMs} ms`,
      );
      options.say(
        `${records.rowCount ?? 0} pending rows will be looked up on the ledger before anything is sent for them`,
      );
    }),
  );
}
