// Inserts the transfers, as wallets do, and watches until all have ended.
import pLimit from 'p-limit';
import { sleep } from '../../runtime/timers.js';
import { enqueue } from '../../store/operator/enqueue.js';
import type { Database } from '../../store/pool.js';
import { readCounts } from './database.js';
import type { Picture, Progress } from './picture.js';
import type { Child } from './processes.js';
import type { DemoRow } from './scenario.js';

/** Concurrent inserts, which is how many connections the demo has. */
const WRITERS = 8;
const ASK_EVERY_MS = 250;
/** If nothing has ended for this long, nothing will. */
const STALLED_MS = 60_000;

/** When the insert's commit returned, on the machine's clock, like the participant's audit log. */
const wallMs = (): number => performance.timeOrigin + performance.now();

export interface Inserter {
  /** By hash. */
  readonly committedAt: ReadonlyMap<string, number>;
  inserted(): number;
  /** As fast as possible, or one every `everyMs`. */
  insert(rows: readonly DemoRow[], everyMs?: number): Promise<void>;
}

export function createInserter(database: Database, signal: AbortSignal): Inserter {
  const committedAt = new Map<string, number>();
  const one = async ({ hash, row }: DemoRow): Promise<void> => {
    await enqueue(database, row);
    committedAt.set(hash, wallMs());
  };
  return {
    committedAt,
    inserted: () => committedAt.size,
    async insert(rows, everyMs = 0) {
      const limit = pLimit(WRITERS);
      const begun = performance.now();
      const inserts: Promise<void>[] = [];
      for (const [index, row] of rows.entries()) {
        const wait = begun + index * everyMs - performance.now();
        if (wait > 0) await sleep(wait, signal);
        if (signal.aborted) break;
        inserts.push(limit(() => one(row)));
      }
      await Promise.all(inserts);
    },
  };
}

export interface Watched {
  readonly database: Database;
  readonly submitters: readonly Child[];
  readonly inserter: Inserter;
  readonly rows: number;
  readonly picture: Picture;
  readonly signal: AbortSignal;
}

/**
 * Resolves when every row has ended or parked, or nothing makes progress any more; returns what went wrong on the
 * way.
 */
export async function watch(watched: Watched): Promise<string[]> {
  const { database, submitters, inserter, rows, picture, signal } = watched;
  const begun = performance.now();
  let last = { ended: 0, at: begun };
  for (;;) {
    const counts = await readCounts(database);
    const now = performance.now();
    const progress: Progress = { ...counts, rows, inserted: inserter.inserted(), elapsedMs: now - begun };
    picture.progress(progress);
    const ended = counts.completed + counts.failed;
    if (ended + counts.parked >= rows || signal.aborted) return [];
    const dead = submitters.filter((child) => !child.running());
    if (dead.length > 0) return dead.map((child) => `${child.name} ended by itself:\n${child.lastWords()}`);
    if (ended > last.ended) last = { ended, at: now };
    if (now - last.at > STALLED_MS) return [`no row has ended for ${STALLED_MS / 1000} s`];
    await sleep(ASK_EVERY_MS, signal);
  }
}
