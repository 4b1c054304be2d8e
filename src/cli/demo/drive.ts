// Puts the transfers in, as wallets do, and watches until all have ended.
import pLimit from 'p-limit';
import { pause } from '../../runtime/timers.js';
import { enqueue } from '../../store/operator/enqueue.js';
import type { Database } from '../../store/pool.js';
import { readCounts } from './database.js';
import type { Picture, Progress } from './picture.js';
import type { Child } from './processes.js';
import type { DemoRow } from './scenario.js';

/** Inserts under way at one time: the connections of the demo. */
const WRITERS = 8;
const LOOK_EVERY_MS = 250;
/** Nothing has ended for so long: nothing will. */
const STALLED_MS = 60_000;

/** On the machine's clock, as the participant's audit log: when the insert's commit had returned. */
const wallMs = (): number => performance.timeOrigin + performance.now();

export class Inserter {
  readonly committedAt = new Map<string, number>();
  inserted = 0;

  constructor(
    private readonly database: Database,
    private readonly signal: AbortSignal,
  ) {}

  /** As fast as it goes, or one every `everyMs`. */
  async insert(rows: readonly DemoRow[], everyMs = 0): Promise<void> {
    const limit = pLimit(WRITERS);
    const begun = performance.now();
    const inserts: Promise<void>[] = [];
    for (const [index, row] of rows.entries()) {
      const wait = begun + index * everyMs - performance.now();
      if (wait > 0) await pause(wait, this.signal);
      if (this.signal.aborted) break;
      inserts.push(limit(() => this.one(row)));
    }
    await Promise.all(inserts);
  }

  private async one({ hash, row }: DemoRow): Promise<void> {
    await enqueue(this.database, row);
    this.committedAt.set(hash, wallMs());
    this.inserted += 1;
  }
}

export interface Watched {
  readonly database: Database;
  readonly submitters: readonly Child[];
  readonly inserter: Inserter;
  readonly rows: number;
  readonly picture: Picture;
  readonly signal: AbortSignal;
}

/** Resolves when every row has ended or parked, or nothing moves any more; returns what went wrong on the way. */
export async function watch(watched: Watched): Promise<string[]> {
  const { database, submitters, inserter, rows, picture, signal } = watched;
  const begun = performance.now();
  let last = { ended: 0, at: begun };
  for (;;) {
    const counts = await readCounts(database);
    const now = performance.now();
    const progress: Progress = { ...counts, rows, inserted: inserter.inserted, elapsedMs: now - begun };
    picture.progress(progress);
    const ended = counts.completed + counts.failed;
    if (ended + counts.parked >= rows || signal.aborted) return [];
    const dead = submitters.filter((child) => !child.running());
    if (dead.length > 0) return dead.map((child) => `${child.name} ended by itself:\n${child.lastWords()}`);
    if (ended > last.ended) last = { ended, at: now };
    if (now - last.at > STALLED_MS) return [`no row has ended for ${STALLED_MS / 1000} s`];
    await pause(LOOK_EVERY_MS, signal);
  }
}
