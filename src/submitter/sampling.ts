// Tells the database every ten seconds what this instance has done, so that any instance's page shows the last hour of all.
import type { Observable } from 'rxjs';
import { StoreUnavailable } from '../core/errors.js';
import type { SubmitterEvent } from '../observe/events.js';
import { createSampler, EMPTY, joined } from '../observe/sample.js';
import { monotonic } from '../runtime/clock.js';
import { every } from '../runtime/timers.js';
import type { Database } from '../store/pool.js';
import { sampleQueue, writeSample } from '../store/samples.js';

const EVERY_MS = 10_000;
const JITTER = 0.1;

export interface Sampling {
  start(): void;
  stop(): Promise<void>;
}

export function createSampling(
  holder: string,
  events$: Observable<SubmitterEvent>,
  database: Database,
  emit: (event: SubmitterEvent) => void,
): Sampling {
  const sampler = createSampler(events$, monotonic);
  let untold = EMPTY;
  let sampling: { stop(): Promise<void> } | null = null;

  const tell = async (): Promise<void> => {
    // What could not be told is told later: it covers a longer time then.
    untold = joined(untold, sampler());
    await writeSample(database, holder, untold);
    untold = EMPTY;
  };
  const report = (error: unknown): void => {
    // An outage is told by those whose work it stops.
    if (!(error instanceof StoreUnavailable)) emit({ kind: 'fault', where: 'samples', error });
  };

  return {
    start() {
      sampling ??= every(
        EVERY_MS,
        JITTER,
        async () => {
          await tell();
          await sampleQueue(database, EVERY_MS);
        },
        report,
      );
    },
    async stop() {
      if (sampling === null) return;
      await sampling.stop();
      await tell().catch(report);
    },
  };
}
