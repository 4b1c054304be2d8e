// `migrate`: puts schema.sql, protocol.sql and triggers.sql into the database and pins what all instances must agree on. Safe to run
// again, safe when killed half-way, safe beside a running API: no lock is waited for longer than two seconds, and
// indexes are built concurrently.
import type pg from 'pg';
import { ConfigError, Refusal } from '../../core/errors.js';
import { seesAll } from '../check.js';
import { PROTOCOL } from '../pins.js';
import { byValue } from '../senders.js';
import {
  changePins,
  differences,
  type PinChanges,
  type PinTuple,
  readPin,
  refuseParkWithoutLanes,
} from './change-pins.js';
import { findTables } from './discover.js';
import {
  type FirstPin,
  INSERT_PIN,
  LEFT_BEHIND,
  leftoverBoundMs,
  type OldUser,
  oldUserId,
  RECORD_LEFTOVERS,
} from './first-pin.js';
import { dropIndex, ensureIndex, RETIRED } from './indexes.js';
import { inTransaction, ofMigration, patiently } from './migration.js';
import { type Lanes, readSteps, type SameNonce, type Step, wantedFor } from './steps.js';

export interface MigrateOptions {
  readonly url: string;
  /** As the settings say; null: not set. Pinned the first time; from then on a difference is said and changes nothing. */
  readonly lanes: Lanes | null;
  readonly toleranceMs: number | null;
  readonly clockSkewMaxMs: number | null;
  /** Makes the API's tables where they are absent: for a trial without the API. Else that is an error. */
  readonly create?: boolean;
  readonly sameNonce?: SameNonce | null;
  /** What is to be pinned anew, each by a flag of its own. */
  readonly changes?: PinChanges;
  /** Addresses of the tokens whose transfer is one step, from TOKENS_FILE; null where that is not set. */
  readonly oneStepTokens: readonly string[] | null;
  /** Who submitted before us; null: not said. Asked for where rows are pending at the first pin. */
  readonly oldUser?: OldUser | null;
  /** What it does, in plain words. */
  readonly say: (line: string) => void;
}

export const DEFAULTS: FirstPin = {
  lanes: 'sender',
  toleranceMs: 60_000,
  clockSkewMaxMs: 60_000,
  sameNonce: 'pay',
};

export async function migrate(options: MigrateOptions): Promise<void> {
  await ofMigration(options.url, options.say, async (client) => {
    if (!options.create) await findTables(client, options.url, options.say);
    await seesAll(client);
    const steps = readSteps();
    const firstIndex = steps.findIndex((step) => step.index !== null);
    const pinnedBefore = await readPin(client);
    if (pinnedBefore !== null && pinnedBefore.protocol > PROTOCOL) {
      throw new Refusal(
        `this database belongs to a newer canton-submitter (protocol ${pinnedBefore.protocol}, this one speaks ${PROTOCOL}): update first`,
      );
    }
    const wanted = wantedPins(options, pinnedBefore);
    if (pinnedBefore === null) refuseParkWithoutLanes(wanted);
    const applyAll = async (some: readonly Step[]): Promise<void> => {
      for (const step of some)
        if (step.index === null && !step.afterPin) await apply(client, step, options.say);
    };
    // Indexes before the functions that need them: instances of an earlier build go on claiming by theirs meanwhile.
    await applyAll(steps.slice(0, firstIndex));
    const indexes = steps.filter(
      (step) => step.index !== null && wantedFor(wanted.lanes, wanted.sameNonce)(step),
    );
    // While claims without lanes may still be in flight, the one index that forbids them has to wait.
    const turningOn = pinnedBefore?.lanes === 'off' && wanted.lanes === 'sender';
    for (const step of indexes)
      if (!(turningOn && isUnique(step))) await ensureIndex(client, step, options.say);
    await applyAll(steps.slice(firstIndex));
    options.say('table, columns, functions and triggers are in place');

    if (pinnedBefore === null) await firstPin(client, wanted, options);
    else {
      if (options.oldUser?.kind === 'other') {
        options.say(
          '--old-user changes nothing here: whom the submitter before sent as is pinned at the first migration',
        );
      }
      for (const line of differences(pinnedBefore, options)) options.say(line);
      await changePins(client, pinnedBefore, options.changes ?? {}, steps, options.say);
    }

    for (const step of indexes) await ensureIndex(client, step, options.say);
    for (const step of steps) {
      if (step.index !== null && !indexes.includes(step)) await dropIndex(client, step.index, options.say);
      if (step.afterPin) await apply(client, step, options.say);
    }
    for (const name of RETIRED) await dropIndex(client, name, options.say);
    options.say('done');
  });
}

/** At the first pin a flag goes before the environment; from then on the environment pins nothing. */
const wantedPins = (options: MigrateOptions, pinned: PinTuple | null): FirstPin => {
  const { changes = {} } = options;
  return pinned === null
    ? {
        lanes: changes.lanes ?? options.lanes ?? DEFAULTS.lanes,
        toleranceMs: changes.toleranceMs ?? options.toleranceMs ?? DEFAULTS.toleranceMs,
        clockSkewMaxMs: changes.clockSkewMaxMs ?? options.clockSkewMaxMs ?? DEFAULTS.clockSkewMaxMs,
        sameNonce: changes.sameNonce ?? options.sameNonce ?? DEFAULTS.sameNonce,
      }
    : {
        lanes: changes.lanes ?? pinned.lanes,
        toleranceMs: changes.toleranceMs ?? pinned.tolerance_ms,
        clockSkewMaxMs: changes.clockSkewMaxMs ?? pinned.clock_skew_max_ms,
        sameNonce: changes.sameNonce ?? pinned.same_nonce ?? DEFAULTS.sameNonce,
      };
};

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
        pin.sameNonce,
        oldUserId(options.oldUser ?? null),
      ]);
      if (inserted.rowCount === 0) return;
      await askForWhatLeftoversNeed(client, options);
      const records = await client.query(RECORD_LEFTOVERS, [
        (options.oneStepTokens ?? []).map(byValue),
        leftoverBoundMs(pin),
      ]);
      options.say(
        `pinned: lanes ${pin.lanes}, tolerance ${pin.toleranceMs} ms, clock skew ${pin.clockSkewMaxMs} ms, same nonce ${pin.sameNonce}`,
      );
      options.say(
        `${records.rowCount ?? 0} pending rows will be looked up on the ledger before anything is sent for them`,
      );
    }),
  );
}

/** Pending rows may have been sent by the submitter before ours: as whom, and of which kind, decides how they are looked up. */
async function askForWhatLeftoversNeed(client: pg.Client, options: MigrateOptions): Promise<void> {
  const { rows } = await client.query<{ some: boolean; hosted: boolean }>(LEFT_BEHIND);
  const problems: string[] = [];
  if (rows[0]?.some && (options.oldUser ?? null) === null) {
    problems.push(
      '--old-user: required here, since rows are pending: the ledger user that the submitter before this one sent as, or `same` where that is CANTON_USER_ID. What it sent is shown to nobody else, and would be paid again',
    );
  }
  if (rows[0]?.hosted && options.oneStepTokens === null) {
    problems.push(
      'TOKENS_FILE: required here, since rows of hosted senders are pending: whether their earlier submissions can still commit depends on their token',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
}
