import { type DbMillis, dbMillis } from '../core/ids.js';
import type { ClaimedRow } from '../protocol/record.js';
import { settlementOf } from '../protocol/settlement.js';
import type { Verdict } from '../protocol/verdict.js';
import type { PathContext } from './context.js';
import type { Lease } from './renew.js';
import type { Settler } from './settle.js';
import type { Wakeups } from './wake.js';

export interface ConcludeDeps {
  readonly settler: Settler;
  readonly wakeups: Wakeups;
  readonly stopping: AbortSignal;
  /** An undecided row of ours waits for a look. */
  readonly lookAgain: () => void;
}

/** Verdict → database → whoever waits for this row. The lease ends first: from here the fence alone decides. */
export async function conclude(
  deps: ConcludeDeps,
  claim: ClaimedRow,
  lease: Lease,
  verdict: Verdict,
): Promise<void> {
  lease.end();
  const { laneWaits } = await deps.settler.settle(settlementOf(claim, verdict));
  if (deps.stopping.aborted) return;
  // Only where somebody waits: a claim after every row would double the claims of a quiet system.
  if (laneWaits) {
    deps.wakeups.signal('lane');
    // Where its rows are undecided, as after a failover, the next of them is the lane's head.
    if (claim.kind === 'undecided') deps.lookAgain();
  }
  if (verdict.kind !== 'pending' || verdict.wait === 'parked') return;
  if (typeof verdict.wait === 'number') deps.wakeups.due(verdict.wait);
  else if (verdict.record === 'keep') deps.lookAgain();
  else deps.wakeups.signal('lane');
}

export function taken({ emit }: PathContext, claim: ClaimedRow, now: DbMillis): void {
  const { id, txHash, createdAt, fromAddress } = claim.row;
  const look = claim.kind === 'undecided';
  const waitedMs = now - createdAt;
  emit({
    kind: 'taken',
    id,
    txHash,
    attempts: claim.attempts,
    waitedMs,
    look,
    sender: fromAddress,
    nonceShared: claim.kind === 'fresh' && claim.nonceShared,
    at: dbMillis(now),
  });
}
