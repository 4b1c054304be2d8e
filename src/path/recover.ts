import type { WakeReason } from '../observe/events.js';
import type { UndecidedClaim } from '../protocol/record.js';
import type { Slots } from '../runtime/slots.js';
import { type ConcludeDeps, conclude, taken } from './conclude.js';
import type { PathContext } from './context.js';
import type { KnownTimes } from './known-times.js';
import { look } from './look.js';
import type { LookBatch, Looking } from './looking.js';
import { type Participant, PINS_CHANGED } from './participant.js';
import type { Renewer } from './renew.js';

export interface RecoverDeps extends ConcludeDeps {
  readonly participant: Participant;
  readonly times: KnownTimes;
  readonly renewer: Renewer;
  /** Undecided rows have slots of their own, so that neither kind starves the other. */
  readonly lookSlots: Slots;
}

export interface Recovery {
  round(by: WakeReason): Promise<void>;
  /** A look has ended: there may be more, where the last claim took all slots. */
  slotFreed(): void;
}

/** The second claim: rows whose earlier submission may still commit. One stream looks for the whole batch. */
export function createRecovery(path: PathContext, deps: RecoverDeps): Recovery {
  const { settings, store, clock, emit } = path;
  const { participant, renewer, lookSlots } = deps;
  /** The last claim took the last slot: there may be more. */
  let hungry = false;

  const round = async (by: WakeReason): Promise<void> => {
    const verified = participant.verified();
    const ask = lookSlots.free();
    if (verified === null || deps.stopping.aborted) return;
    if (ask === 0) {
      hungry = true;
      return;
    }
    const sentAt = clock.elapsed();
    const { holder, leaseMs } = settings;
    const reply = await store.claimUndecided({
      holder,
      limit: ask,
      leaseMs,
      generation: verified.pinned.generation,
    });
    if (reply.kind === 'stale') return participant.doubt(PINS_CHANGED);
    deps.times.database(reply.now, sentAt);
    if (reply.rows.length === 0) return;
    emit({
      kind: 'claimed',
      rows: reply.rows.length,
      asked: ask,
      by,
      tookMs: clock.elapsed() - sentAt,
      look: true,
    });
    const claims = reply.rows.filter((claim): claim is UndecidedClaim => claim.kind === 'undecided');
    const rows = claims.map((claim): Looking => {
      taken(path, claim, reply.now);
      return { claim, lease: renewer.hold(claim.row, claim.token, sentAt) };
    });
    occupy({ rows, now: reply.now, at: sentAt });
    hungry = rows.length === ask && lookSlots.free() === 0;
    if (rows.length === ask && !hungry) deps.lookAgain();
  };

  /** A row keeps its slot until it is settled; the batch's stream runs beside the loop. */
  const occupy = (batch: LookBatch): void => {
    const ended = new Map<Looking, () => void>();
    for (const row of batch.rows) {
      const end = new Promise<void>((resolve) => ended.set(row, resolve));
      lookSlots.run(() => end);
    }
    look(path, deps, batch, deps.stopping, async (row, verdict) => {
      await conclude(deps, row.claim, row.lease, verdict);
      ended.get(row)?.();
    })
      .catch((error: unknown) => emit({ kind: 'fault', where: 'look', error }))
      .finally(() => {
        for (const row of batch.rows) row.lease.end();
        for (const end of ended.values()) end();
      });
  };

  return {
    round,
    slotFreed() {
      if (hungry) deps.lookAgain();
    },
  };
}
