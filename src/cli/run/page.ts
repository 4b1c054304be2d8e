// Where the page of this instance gets what it shows: the database, over connections of its own, so that somebody who looks
// never keeps a claim or a renewal waiting; and this process's own events.
import type { Config } from '../../config.js';
import type { TxHash } from '../../core/ids.js';
import { STEP_MS } from '../../observe/history.js';
import { judge } from '../../observe/judgement.js';
import type { PageSource, PageState } from '../../observe/page.js';
import { cached } from '../../observe/queue.js';
import { createRecent } from '../../observe/recent.js';
import { monotonic } from '../../runtime/clock.js';
import { findByHash, readFailovers, readLists, readPins } from '../../store/operator/overview.js';
import { openDatabase } from '../../store/pool.js';
import { sampleQueue } from '../../store/samples.js';
import type { Submitter } from '../../submitter.js';
import { createHistory } from './history.js';
import { pageRow, storyOf } from './shown.js';

export interface OpenPage {
  readonly source: PageSource;
  close(): Promise<void>;
}

/** Rows that a list shows. */
const LISTED = 25;
const QUEUE_FRESH_MS = 2_000;
const DETAILS_FRESH_MS = 5_000;
const FAILOVERS = 10;

export function openPage(config: Config, submitter: Submitter): OpenPage {
  const database = openDatabase({
    url: config.database.url,
    poolSize: 2,
    applicationName: `${config.instanceId} page`,
  });
  const recent = createRecent(submitter.events$, monotonic);
  const queue = cached(() => sampleQueue(database, QUEUE_FRESH_MS), monotonic);
  const details = cached(
    async () => ({ pins: await readPins(database), failovers: await readFailovers(database, FAILOVERS) }),
    monotonic,
    DETAILS_FRESH_MS,
  );
  const lists = cached(() => readLists(database, LISTED), monotonic, DETAILS_FRESH_MS);
  const hour = createHistory(database);
  const history = cached(async () => hour((await queue())?.now ?? 0), monotonic, STEP_MS / 4);

  const state = async (): Promise<PageState> => {
    const health = submitter.health();
    const here = recent();
    const known = await Promise.all([queue(), details()]).then(
      ([queue, details]) => ({ queue, ...details, away: null }),
      (error: unknown) => ({
        queue: null,
        pins: null,
        failovers: [],
        away: error instanceof Error ? error.message : String(error),
      }),
    );
    const counts = known.queue?.queue ?? null;
    return {
      now: known.queue?.now ?? null,
      ...judge({ health, open: here.open, halted: known.pins?.halted ?? null, queue: counts }),
      away: known.away,
      queue: counts,
      queueAgeMs: known.queue === null ? null : Math.round(known.queue.now - known.queue.at),
      instances: [],
      here: { id: config.holder, ready: health.ready, concurrency: config.concurrency, ...here },
      pins: known.pins === null ? null : { ...known.pins },
      failovers: known.failovers,
    };
  };

  return {
    source: {
      state,
      lists: async () => {
        const { parked, failed } = await lists();
        return {
          parked: parked.map((row) => pageRow(row, config.tokens)),
          failed: failed.map((row) => pageRow(row, config.tokens)),
        };
      },
      history,
      story: async (hash) => {
        const found = await findByHash(database, hash as TxHash);
        if (found.kind === 'unknown') return found;
        if (found.kind === 'ended')
          return {
            kind: 'gone',
            what: `It has ended as ${found.status}${found.message === null ? '' : `: ${found.message}`}. Its row is gone; the hash is remembered.`,
          };
        const { row } = found;
        return { kind: 'row', row: pageRow(row, config.tokens), ...storyOf(row, row.now) };
      },
    },
    close: () => database.close(),
  };
}
