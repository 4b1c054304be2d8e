import { type Settled, type Settlement, settlementOf } from '../protocol/settlement.js';
import { sleep } from '../runtime/timers.js';
import type { Conclude, PathContext, Wakeups } from './given/context.js';

/** The last step: verdicts into the database, in batches, however long that takes (I9). */
export interface Settler {
  /** Resolves when the database has said what became of it; never rejects. */
  settle(settlement: Settlement): Promise<Settled>;
  /** What could not be written by now is left to leases and looks: it is not tried again, and its waiters hear nothing. */
  giveUp(): void;
}

/** Rows in one statement: enough for every slot at its usual number, few enough to be quick. */
const BATCH = 256;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Reported once; the settler goes on trying. */
class RowLocked extends Error {
  constructor(txHash: string) {
    super(`another transaction keeps the row of ${txHash} locked; its verdict is kept and written later`);
  }
}

interface Waiting {
  readonly settlement: Settlement;
  readonly since: number;
  readonly done: (result: Settled) => void;
}

/**
 * One statement at a time; what arrives meanwhile makes the next batch. So a single verdict is written at once, and
 * under load batches grow by themselves. While the database is away the same batch is tried again and again: the
 * verdict is known, and the fence decides what it may still change. A row that somebody keeps locked is tried again in a
 * line of its own, where it does not hold up the others (I9).
 */
export function createSettler({
  store,
  clock,
  emit,
}: Pick<PathContext, 'store' | 'clock' | 'emit'>): Settler {
  const over = new AbortController();

  /** One statement at a time. `locked` gets what could not be written yet. */
  const createLine = (locked: (some: readonly Waiting[]) => Promise<void> | void) => {
    let queue: Waiting[] = [];
    let running = false;
    const drain = async (): Promise<void> => {
      while (queue.length > 0) {
        const batch = queue.slice(0, BATCH);
        queue = queue.slice(BATCH);
        const results = await write(batch.map((one) => one.settlement));
        if (results === null) return;
        const kept: Waiting[] = [];
        for (const [index, one] of batch.entries()) {
          const settled = results[index] ?? { result: 'fenced', laneWaits: false };
          if (settled.result === 'locked') kept.push(one);
          else {
            report(one, settled);
            one.done(settled);
          }
        }
        if (kept.length > 0) await locked(kept);
        if (over.signal.aborted) return;
      }
      running = false;
    };
    return (some: readonly Waiting[]): void => {
      queue.push(...some);
      if (running) return;
      running = true;
      void drain();
    };
  };

  let waitMs = FIRST_PAUSE_MS;
  const again = createLine(async (some) => {
    await sleep(waitMs, over.signal);
    waitMs = Math.min(waitMs * 2, LONGEST_PAUSE_MS);
    again(some);
  });
  const first = createLine((some) => {
    waitMs = FIRST_PAUSE_MS;
    for (const { settlement } of some)
      emit({ kind: 'fault', where: 'settle', error: new RowLocked(settlement.txHash) });
    again(some);
  });

  const write = async (batch: readonly Settlement[]): Promise<readonly Settled[] | null> => {
    let waitMs = FIRST_PAUSE_MS;
    for (;;) {
      try {
        return await store.settle(batch);
      } catch (error) {
        emit({ kind: 'fault', where: 'settle', error });
        await sleep(waitMs, over.signal);
        if (over.signal.aborted) return null;
        waitMs = Math.min(waitMs * 2, LONGEST_PAUSE_MS);
      }
    }
  };

  const report = ({ settlement, since }: Waiting, { result }: Settled): void => {
    const { id, txHash, verdict } = settlement;
    emit({ kind: 'settled', id, txHash, verdict, result, tookMs: clock.elapsed() - since });
    if (result === 'fenced') emit({ kind: 'fenced', during: 'settle', id, txHash });
    else if (verdict.kind === 'pending' && verdict.wait === 'parked') {
      emit({ kind: 'parked', id, txHash, reason: verdict.lastError ?? '' });
    }
  };

  return {
    settle: (settlement) =>
      new Promise((done) => {
        first([{ settlement, since: clock.elapsed(), done }]);
      }),
    giveUp: () => over.abort(),
  };
}

/** Settles, then wakes whoever waits for this row. The lease ends first: from here on the fence alone decides. */
export const createConclude =
  (settler: Settler, wakeups: Wakeups, stopping: AbortSignal): Conclude =>
  async (claim, lease, verdict) => {
    lease.end();
    const { laneWaits } = await settler.settle(settlementOf(claim, verdict));
    if (stopping.aborted) return;
    // Only where somebody waits: a claim after every row would double the claims of a quiet system.
    if (laneWaits) {
      wakeups.signal('lane');
      // Where its rows are undecided, as after a failover, the next of them is the lane's head.
      if (claim.kind === 'undecided') wakeups.lookAgain();
    }
    if (verdict.kind !== 'pending' || verdict.wait === 'parked') return;
    if (typeof verdict.wait === 'number') wakeups.due(verdict.wait);
    else if (verdict.record === 'keep') wakeups.lookAgain();
    else wakeups.signal('lane');
  };
