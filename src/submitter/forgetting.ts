// Removes stories of rows that are older than STORIES_KEPT_DAYS: one instance for the fleet, little by little.
import type { Config } from '../config.js';
import { StoreUnavailable } from '../core/errors.js';
import { DAY_MS } from '../core/ids.js';
import type { SubmitterEvent } from '../observe/events.js';
import { monotonic } from '../runtime/clock.js';
import { every } from '../runtime/timers.js';
import type { Database } from '../store/pool.js';
import { forgetStories } from '../store/stories.js';

const REMOVE_MS = 600_000;
const JITTER = 0.1;
/** After a batch, so many times as long as it took: one per cent of a core while there is much to remove. */
const REST = 100;
const LEAST_REST_MS = 1_000;

export interface Forgetting {
  /** At once for the first time. */
  start(): void;
  stop(): Promise<void>;
}

export function createForgetting(
  { holder, storiesKeptDays }: Pick<Config, 'holder' | 'storiesKeptDays'>,
  database: Database,
  emit: (event: SubmitterEvent) => void,
): Forgetting {
  let more = false;
  let waitMs = REMOVE_MS;
  let removing: { stop(): Promise<void> } | null = null;

  const removeOld = async (): Promise<void> => {
    const from = monotonic.elapsed();
    try {
      ({ more } = await forgetStories(database, holder, storiesKeptDays * DAY_MS));
    } catch (error) {
      more = false;
      // An outage is told by those whose work it stops.
      if (!(error instanceof StoreUnavailable)) emit({ kind: 'warning', what: notRemoved(error) });
    }
    waitMs = more ? Math.max(LEAST_REST_MS, REST * (monotonic.elapsed() - from)) : REMOVE_MS;
  };

  return {
    start() {
      if (storiesKeptDays === 0 || removing !== null) return;
      const first = removeOld();
      removing = every(
        () => waitMs,
        JITTER,
        async () => {
          await first;
          await removeOld();
        },
        () => {},
      );
    },
    async stop() {
      await removing?.stop();
    },
  };
}

const notRemoved = (error: unknown): string =>
  `stories older than STORIES_KEPT_DAYS are not removed, and pile up until they are: ${error instanceof Error ? error.message : String(error)}. If a privilege is missing, run \`canton-submitter migrate\`, or apply \`migrate --roles\` again`;
