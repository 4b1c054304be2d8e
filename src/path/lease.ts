import { StoreUnavailable } from '../core/errors.js';
import type { ClaimToken } from '../core/ids.js';
import type { MempoolRow } from '../protocol/record.js';
import { every, sleep } from '../runtime/timers.js';
import type { Leases, PathContext } from './given/context.js';

interface HeldLease {
  readonly row: MempoolRow;
  readonly abort: AbortController;
  deadline: number;
}

/** Renewals per lease: two may be lost before the third is too late. */
const RENEWALS = 3;
/** How often deadlines are checked during a lease: a lost lease aborts its call within a tenth of its length. */
const CHECKS = 10;

/**
 * Keeps the leases of everything in flight: one statement for all, every third of a lease, by a timer that does not
 * depend on the progress of any call. A renewal counts from before it was sent.
 */
export function createLeases({ settings, store, clock, emit }: PathContext): Leases {
  const held = new Map<ClaimToken, HeldLease>();

  const renew = async (): Promise<void> => {
    if (held.size === 0) return;
    const asked = [...held.keys()];
    const sentAt = clock.elapsed();
    const answer = await inTime(store.renew(asked, settings.leaseMs), settings.leaseMs / RENEWALS);
    for (const token of asked) {
      const lease = held.get(token);
      if (lease === undefined) continue;
      const kept = answer.get(token);
      if (kept === 'renewed') lease.deadline = sentAt + settings.leaseMs;
      else if (kept === undefined) lose(token, lease, 'another claim holds the row');
    }
  };

  const lose = (token: ClaimToken, lease: HeldLease, why: string): void => {
    held.delete(token);
    emit({ kind: 'fenced', during: 'renew', id: lease.row.id, txHash: lease.row.txHash });
    lease.abort.abort(why);
  };

  const watch = (): void => {
    const now = clock.elapsed();
    for (const [token, lease] of held)
      if (now >= lease.deadline) lose(token, lease, 'the lease ran out before it could be renewed');
  };

  const report = (error: unknown): void => emit({ kind: 'fault', where: 'renew', error });
  // A third of a lease from one start to the next, however long the statement takes: one that hangs must not delay the next.
  let tookMs = 0;
  const timed = async (): Promise<void> => {
    const since = clock.elapsed();
    await renew().finally(() => {
      tookMs = clock.elapsed() - since;
    });
  };
  const renewing = every(() => Math.max(0, settings.leaseMs / RENEWALS - tookMs), 0, timed, report);
  const watching = every(settings.leaseMs / CHECKS, 0, watch, report);

  return {
    hold(row, token, sentAt) {
      const lease: HeldLease = { row, abort: new AbortController(), deadline: sentAt + settings.leaseMs };
      held.set(token, lease);
      return {
        left: () => lease.deadline - clock.elapsed(),
        signal: lease.abort.signal,
        end: () => void held.delete(token),
      };
    },
    abortAll(reason) {
      for (const lease of held.values()) lease.abort.abort(reason);
    },
    async stop() {
      await Promise.all([renewing.stop(), watching.stop()]);
    },
  };
}

/** The statement goes on, but what it answers later is too late to rely on. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, over.signal).then(() => {
    if (over.signal.aborted) return work;
    throw new StoreUnavailable('the leases could not be renewed in time');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    work.catch(() => {});
  }
}
