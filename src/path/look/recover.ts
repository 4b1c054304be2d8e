import type { WakeReason } from '../../observe/events.js';
import type { UndecidedClaim } from '../../protocol/record.js';
import { createSlots, type Slots } from '../../runtime/slots.js';
import { type Path, taken } from '../given/context.js';
import type { Looking } from './completion.js';
import { type LookBatch, look } from './look.js';

/** The second claim: rows whose earlier submission may still commit. One stream looks for the whole batch. */
export interface Recovery {
  round(by: WakeReason): Promise<void>;
  /** Undecided rows have slots of their own, so that neither kind starves the other. */
  readonly slots: Pick<Slots, 'busy' | 'idle'>;
}

export function createRecovery(path: Path): Recovery {
  const { settings, store, clock, emit, participant, leases } = path;
  /** The last claim took the last slot, so there may be more. */
  let moreWaits = false;
  const slots = createSlots(settings.concurrency, () => {
    if (moreWaits) path.wakeups.lookAgain();
  });

  const round = async (by: WakeReason): Promise<void> => {
    const verified = participant.verified();
    const ask = slots.free();
    if (verified === null || path.stopping.aborted) return;
    if (ask === 0) {
      moreWaits = true;
      return;
    }
    const at = clock.elapsed();
    const { holder, leaseMs } = settings;
    const { generation } = verified.pinned;
    const reply = await store.claimUndecided({ holder, limit: ask, leaseMs, generation });
    if (reply.kind === 'stale') return participant.doubt({ kind: 'pins-changed' });
    path.clocks.sawDatabase(reply.now, at);
    const got = reply.rows.length;
    if (got === 0) return;
    emit({ kind: 'claimed', rows: got, asked: ask, by, tookMs: clock.elapsed() - at, look: true });
    const claims = reply.rows.filter((claim): claim is UndecidedClaim => claim.kind === 'undecided');
    const rows = claims.map((claim): Looking => {
      taken(path, claim, reply.now);
      return { claim, lease: leases.hold(claim.row, claim.token, at) };
    });
    occupy({ rows, now: reply.now, at });
    moreWaits = rows.length === ask && slots.free() === 0;
    if (rows.length === ask && !moreWaits) path.wakeups.lookAgain();
  };

  /** A row keeps its slot until it is settled; the batch's stream runs beside the loop. */
  const occupy = (batch: LookBatch): void => {
    const ended = new Map<Looking, () => void>();
    for (const row of batch.rows) {
      const end = new Promise<void>((resolve) => ended.set(row, resolve));
      slots.run(() => end);
    }
    look(path, batch, path.stopping, async (row, verdict) => {
      await path.conclude(row.claim, row.lease, verdict);
      ended.get(row)?.();
    })
      .catch((error: unknown) => emit({ kind: 'fault', where: 'look', error }))
      .finally(() => {
        for (const row of batch.rows) row.lease.end();
        for (const end of ended.values()) end();
      });
  };

  return { round, slots };
}
