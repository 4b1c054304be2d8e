import type { WakeReason } from '../observe/events.js';
import type { ClaimReply } from '../ports/store.js';
import type { FreshClaim } from '../protocol/record.js';
import type { Slots } from '../runtime/slots.js';
import { beforeFailing } from './before-failing.js';
import type { ClockWatch } from './clock-watch.js';
import { type ConcludeDeps, conclude, taken } from './conclude.js';
import type { PathContext } from './context.js';
import type { KnownTimes } from './known-times.js';
import { PINS_CHANGED } from './participant.js';
import type { Renewer } from './renew.js';
import type { SubmitDeps } from './submission.js';
import { submit } from './submit.js';
import type { Verified } from './verified.js';
import { TRAILING_MS } from './wake.js';

export interface ClaimDeps extends SubmitDeps, ConcludeDeps {
  readonly renewer: Renewer;
  readonly slots: Slots;
  readonly clocks: ClockWatch;
  readonly times: KnownTimes;
}

/** Asking for 64 where there is one row costs twice as much: ask for few, double while the answer is full. */
const FEW = 4;

const SAME_NONCE = 'SAME_NONCE: another transaction of its sender has used its nonce, or may have';

export interface Claimer {
  round(by: WakeReason): Promise<void>;
  /** A slot is free again: look for more, where the last claim left some. */
  slotFreed(): void;
}

/** The hot path's claim: a round per wake-up, one statement per round, at most one in flight per instance. */
export function createClaimer(path: PathContext, deps: ClaimDeps): Claimer {
  const { settings, store, clock, emit } = path;
  const { participant, breaker, clocks, times, renewer, slots, wakeups } = deps;
  let appetite = FEW;
  /** The last claim filled the last slot: there may be more. */
  let hungry = false;
  /** Free slots, as many as the ledger takes now. */
  const room = (): number => Math.min(slots.free(), breaker.room(slots.busy()));
  /** A bell was answered, and what came with it is not drained yet: then comes the trailing look. */
  let rang = false;

  const handOff = (): void => {
    store.ring('handoff').catch((error: unknown) => emit({ kind: 'fault', where: 'handoff', error }));
  };

  const round = async (by: WakeReason): Promise<void> => {
    const verified = participant.verified();
    if (verified === null || deps.stopping.aborted) return;
    const allowed = [breaker.allowance(), clocks.allowance()];
    if (allowed.includes('none')) return;
    const probe = allowed.includes('one');
    const ask = Math.min(room(), probe ? 1 : appetite);
    if (ask === 0) {
      hungry = true;
      // A lane is free, and there is no slot for it here.
      if (by === 'lane' && slots.free() === 0) handOff();
      return;
    }
    if (allowed[0] === 'one') breaker.beginProbe();
    if (allowed[1] === 'one') clocks.beginProbe();
    // Before the statement is sent: our deadline ends before the database's lease does (I1).
    const sentAt = clock.elapsed();
    const reply = await claim(verified, ask, probe);
    if (reply.kind === 'stale') {
      // It learned nothing; left under way, it would be the last one.
      if (probe) breaker.endProbe();
      return participant.doubt(PINS_CHANGED);
    }
    times.database(reply.now, sentAt);
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
    reply: Extract<ClaimReply, { kind: 'claimed' }>,
    sentAt: number,
    probe: boolean,
  ): void => {
    const lease = renewer.hold(row.row, row.token, sentAt);
    taken(path, row, reply.now);
    slots.run(async () => {
      const claimed = { claim: row, lease, now: reply.now, at: sentAt };
      const judged = await submit(path, deps, claimed);
      if (probe && breaker.open() !== null) breaker.endProbe();
      const verdict = await beforeFailing(path, deps, claimed, judged);
      await conclude(deps, row, lease, verdict);
    });
  };

  /** What comes after a claim: more while there is more, a trailing look after the last. */
  const follow = (by: WakeReason, got: number, ask: number): void => {
    if (by === 'bell') wakeups.answered(got > 0);
    rang ||= by === 'handoff' || (by === 'bell' && got > 0);
    if (got === ask) {
      appetite = Math.min(appetite * 2, settings.concurrency);
      hungry = room() === 0;
      if (!hungry) wakeups.signal('slot');
      // There may be more, and no slot for it here: those who answer bells late must not be late now.
      else if (slots.free() === 0) handOff();
      return;
    }
    appetite = FEW;
    hungry = false;
    if (rang) wakeups.trail(TRAILING_MS);
    rang = false;
  };

  return {
    round,
    slotFreed() {
      if (hungry) wakeups.signal('slot');
    },
  };
}
