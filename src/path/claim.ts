// All that takes rows, or takes them back: the claim of fresh rows, the claim of undecided ones, and the rescue.
import type { WakeReason } from '../observe/events.js';
import type { ClaimReply } from '../ports/store.js';
import type { FreshClaim, UndecidedClaim } from '../protocol/record.js';
import { createSlots, type Slots } from '../runtime/slots.js';
import { type Path, type PathContext, taken } from './given/context.js';
import type { Verified } from './given/participant.js';
import type { Looking } from './look/completion.js';
import { beforeFailing, type LookBatch, look } from './look/look.js';
import { submit } from './submit.js';
import { TRAILING_MS } from './wake.js';

/** Asking for 64 rows where there is one costs twice as much: ask for few, double while the answer is full. */
const FEW = 4;

const SAME_NONCE = 'SAME_NONCE: another transaction of its sender has used its nonce, or may have';

/** The hot path's claim: a round per wake-up, one statement per round, at most one in flight per instance. */
export interface Claimer {
  round(by: WakeReason): Promise<void>;
  readonly slots: Pick<Slots, 'busy' | 'idle'>;
}

export function createClaimer(path: Path): Claimer {
  const { settings, store, clock, emit, participant, breaker, clocks, leases, wakeups } = path;
  /** How many rows to ask for. */
  let wanted = FEW;
  /** The last claim filled the last slot, so there may be more. */
  let moreWaits = false;
  /** A bell was answered, and the queue has not been drained since: the trailing checks are still to come. */
  let rang = false;
  const slots = createSlots(settings.concurrency, () => {
    if (moreWaits) wakeups.signal('slot');
  });
  /** Free slots, as many of them as the ledger takes now. */
  const room = (): number => Math.min(slots.free(), breaker.room(slots.busy()));

  const handOff = (): void => {
    store.ring('handoff').catch((error: unknown) => emit({ kind: 'fault', where: 'handoff', error }));
  };

  const round = async (by: WakeReason): Promise<void> => {
    const verified = participant.verified();
    if (verified === null || path.stopping.aborted) return;
    const gates = [breaker, clocks].map((gate) => ({ gate, allows: gate.allowance() }));
    if (gates.some(({ allows }) => allows === 'none')) return;
    const probing = gates.filter(({ allows }) => allows === 'one');
    const probe = probing.length > 0;
    const ask = Math.min(room(), probe ? 1 : wanted);
    if (ask === 0) {
      moreWaits = true;
      // A lane is free, but this instance has no slot for it.
      if (by === 'lane' && slots.free() === 0) handOff();
      return;
    }
    for (const { gate } of probing) gate.beginProbe();
    // Before the statement is sent: our deadline ends before the database's lease does (I1).
    const sentAt = clock.elapsed();
    const reply = await claim(verified, ask, probe);
    if (reply.kind === 'stale') {
      // The probe learned nothing; if it stayed under way, no other could begin.
      if (probe) breaker.endProbe();
      return participant.doubt({ kind: 'pins-changed' });
    }
    clocks.sawDatabase(reply.now, sentAt);
    const got = reply.rows.length;
    emit({ kind: 'claimed', rows: got, asked: ask, by, tookMs: clock.elapsed() - sentAt, look: false });
    for (const { id, txHash } of reply.parked ?? []) emit({ kind: 'parked', id, txHash, reason: SAME_NONCE });
    for (const row of reply.rows) if (row.kind === 'fresh') begin(row, reply, sentAt, probe);
    if (!probe) return follow(by, got, ask);
    if (!reply.rows.some(({ kind }) => kind === 'fresh')) breaker.endProbe();
  };

  const claim = async (verified: Verified, limit: number, probe: boolean): Promise<ClaimReply> => {
    try {
      return await store.claim({
        holder: settings.holder,
        limit,
        leaseMs: settings.leaseMs,
        generation: verified.pinned.generation,
        sentFrom: participant.sentFrom(),
        windowMs: settings.windowMs,
      });
    } catch (error) {
      if (probe) breaker.endProbe();
      throw error;
    }
  };

  const begin = (
    row: FreshClaim,
    { now }: Extract<ClaimReply, { kind: 'claimed' }>,
    sentAt: number,
    probe: boolean,
  ): void => {
    const lease = leases.hold(row.row, row.token, sentAt);
    taken(path, row, now);
    slots.run(async () => {
      const claimed = { claim: row, lease, now, at: sentAt };
      const submitted = await submit(path, claimed);
      if (probe && breaker.isOpen()) breaker.endProbe();
      const verdict = await beforeFailing(path, claimed, submitted);
      await path.conclude(row, lease, verdict);
    });
  };

  /** What comes after a claim: more while there is more, trailing checks after the last. */
  const follow = (by: WakeReason, got: number, ask: number): void => {
    if (by === 'bell') wakeups.answered(got > 0);
    rang ||= by === 'handoff' || (by === 'bell' && got > 0);
    if (got === ask) {
      wanted = Math.min(wanted * 2, settings.concurrency);
      moreWaits = room() === 0;
      if (!moreWaits) wakeups.signal('slot');
      // There may be more, and no slot for it here: instances that answer bells late must be quick now.
      else if (slots.free() === 0) handOff();
      return;
    }
    wanted = FEW;
    moreWaits = false;
    if (rang) wakeups.trail(TRAILING_MS);
    rang = false;
  };

  return { round, slots };
}

/**
 * What every poll of every instance does first (I3): it takes the token off claims whose lease ran out. Whoever held
 * them misses every fence from then on; the claims that follow find the rows.
 */
export async function rescue({ store, emit }: Pick<PathContext, 'store' | 'emit'>): Promise<void> {
  const rows = await store.rescue();
  if (rows > 0) emit({ kind: 'rescued', rows });
}

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
