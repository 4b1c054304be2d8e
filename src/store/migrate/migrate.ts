// `migrate`: puts schema.sql, protocol.sql, triggers.sql and outcomes.sql into the database and pins what all instances must agree on. It is
// safe to run again, safe when killed half-way, and safe beside a running API: no lock is waited for longer than two seconds,
// and indexes are built concurrently.
import type pg from 'pg';
import { CommandRefused } from '../../core/errors.js';
import { seesAll } from '../check.js';
import { BY_ITSELF, type Decided, type Lanes, type Outcomes, PROTOCOL, type SameNonce } from '../pins.js';
import {
  changePins,
  differences,
  type FoundPins,
  type PinChanges,
  readPin,
  refuseParkWithoutLanes,
} from './change-pins.js';
import { findTables } from './discover.js';
import { type FirstPin, firstPin, type Leftovers } from './first-pin.js';
import { dropIndex, ensureIndex, RETIRED } from './indexes.js';
import { keepOutcomes } from './outcomes.js';
import { inSession, inTransaction, patiently } from './session.js';
import { isUnique, readSqlSteps, type SqlStep, wantedFor } from './sql-files.js';

export interface MigrateOptions extends Leftovers {
  readonly url: string;
  /** As the settings have it; null: not set. Pinned the first time; after that a difference is reported and changes nothing. */
  readonly lanes: Lanes | null;
  readonly toleranceMs: number | null;
  readonly clockSkewMaxMs: number | null;
  /** Make the API's tables where they are absent, for a trial without the API. Otherwise their absence is an error. */
  readonly create?: boolean;
  readonly sameNonce?: SameNonce | null;
  readonly outcomes?: Outcomes | null;
  /** What is to be pinned anew; each has a flag of its own. */
  readonly changes?: PinChanges;
  /** Who wants these, and why. */
  readonly decided?: Decided;
  /** Told what it does, in plain words. */
  readonly say: (line: string) => void;
}

export const DEFAULTS: FirstPin = {
  lanes: 'sender',
  toleranceMs: 60_000,
  clockSkewMaxMs: 60_000,
  sameNonce: 'pay',
};

export async function migrate(options: MigrateOptions): Promise<void> {
  const { decided = BY_ITSELF } = options;
  await inSession(options.url, options.say, async (client) => {
    if (!options.create) await findTables(client, options.url, options.say);
    await seesAll(client);
    const steps = readSqlSteps();
    const firstIndex = steps.findIndex((step) => step.index !== null);
    const pinnedBefore = await readPin(client);
    if (pinnedBefore !== null && pinnedBefore.protocol > PROTOCOL) {
      throw new CommandRefused(
        `this database belongs to a newer canton-submitter (protocol ${pinnedBefore.protocol}, this one speaks ${PROTOCOL}): update first`,
      );
    }
    const wanted = wantedPins(options, pinnedBefore);
    if (pinnedBefore === null) refuseParkWithoutLanes(wanted);
    const applyAll = async (some: readonly SqlStep[]): Promise<void> => {
      for (const step of some)
        if (step.index === null && !step.afterPin && !step.writesOutcomes)
          await apply(client, step, options.say);
    };
    // Indexes before the functions that need them: until then, instances of an earlier build claim with their own.
    await applyAll(steps.slice(0, firstIndex));
    const indexes = steps.filter(
      (step) => step.index !== null && wantedFor(wanted.lanes, wanted.sameNonce)(step),
    );
    // The index that forbids two claims of a sender has to wait while claims made under other lanes may still be in flight.
    const otherLanes = pinnedBefore !== null && pinnedBefore.lanes !== wanted.lanes;
    for (const step of indexes)
      if (!(otherLanes && isUnique(step))) await ensureIndex(client, step, options.say);
    await applyAll(steps.slice(firstIndex));
    options.say('table, columns, functions and triggers are in place');

    if (pinnedBefore === null) await firstPin(client, wanted, options, options.say);
    else {
      if (options.oldUser?.kind === 'other') {
        options.say(
          '--old-user changes nothing here: the user of the old submitter was pinned at the first migration',
        );
      }
      for (const line of differences(pinnedBefore, options)) options.say(line);
      await changePins(client, pinnedBefore, options.changes ?? {}, steps, decided, options.say);
    }

    // At the first pin the environment counts too, as for the other pins.
    const outcomes = options.changes?.outcomes ?? (pinnedBefore === null ? options.outcomes : null) ?? null;
    await keepOutcomes(client, outcomes, steps, decided, options.say);

    for (const step of indexes) await ensureIndex(client, step, options.say);
    for (const step of steps) {
      if (step.index !== null && !indexes.includes(step)) await dropIndex(client, step.index, options.say);
      if (step.afterPin) await apply(client, step, options.say);
    }
    for (const name of RETIRED) await dropIndex(client, name, options.say);
    options.say('done');
  });
}

/** At the first pin a flag overrides the environment; after that the environment pins nothing. */
const wantedPins = (options: MigrateOptions, pinned: FoundPins | null): FirstPin => {
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

async function apply(client: pg.Client, step: SqlStep, say: MigrateOptions['say']): Promise<void> {
  await patiently(say, () =>
    inTransaction(client, async () => {
      await client.query(step.sql);
    }),
  );
}
