import { isDeepStrictEqual } from 'node:util';
import { TableHeld } from '../../core/errors.js';
import type { Offset } from '../../core/ids.js';
import type { CallOptions } from '../../ports/ledger.js';
import type { Pinned } from '../../ports/store.js';
import { brokenBound, missedByMs } from '../../protocol/bound.js';
import type { Mark } from '../../protocol/proof.js';
import { createLoop } from '../../runtime/loop.js';
import { every } from '../../runtime/timers.js';
import type { Clocks, PathContext } from '../given/context.js';
import {
  blockerOf,
  type Doubt,
  doubtWords,
  type Halt,
  type OwnSubmission,
  type Participant,
  type Unready,
  type Verified,
} from '../given/participant.js';
import { identify, type Unverified, unverified } from './identify.js';
import { moveMark, PROOF_CALL_MS, proveById, showsMark, type Told, toldBy } from './proving.js';

type State = Verified | Unverified;

/** What was accepted last, and has not been measured yet if it is our own. */
interface Candidate {
  readonly mark: Mark;
  readonly own: OwnSubmission | null;
}

/** Marks are written at most this often. */
const MARK_EVERY_MS = 5_000;

export function createParticipant(path: PathContext, clocks: Clocks, onVerified: () => void): Participant {
  const { settings, store, ledger, emit } = path;
  const stopping = new AbortController();
  const options = (): CallOptions => ({ timeoutMs: PROOF_CALL_MS, signal: stopping.signal });
  let state: State = unverified({ kind: 'not-connected' });
  let end: Offset = 0n;
  /** Raised by proven ends and by acceptances, not by any answer: a wrong participant's end would never be lowered again. */
  let highestEnd: Offset = 0n;
  let provenEnd: Offset = 0n;
  let canProve = true;
  let doubts = 0;
  let toHalt: Halt | null = null;
  let candidate: Candidate | null = null;

  const sawLedgerEnd = (offset: Offset): void => {
    if (offset > end) end = offset;
  };

  const provedEnd = (offset: Offset): void => {
    sawLedgerEnd(offset);
    if (offset > highestEnd) highestEnd = offset;
  };

  const become = (next: State): void => {
    const before = state;
    state = next;
    if (next.kind === 'unverified') {
      // Said once, however often it is found again.
      if (before.kind === 'verified' || !isDeepStrictEqual(before.why, next.why))
        emit({ kind: 'not-ready', blockers: [blockerOf(next.why)] });
      return;
    }
    end = next.end;
    provenEnd = next.end;
    if (before.kind === 'unverified') emit({ kind: 'ready' });
    onVerified();
  };

  const check = async (): Promise<State> => {
    try {
      if (toHalt !== null) {
        await store.halt(toHalt.reason, toHalt.lateMs);
        toHalt = null;
      }
      return await identify(path, options(), clocks.latest());
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return unverified({ kind: error instanceof TableHeld ? 'table-held' : 'pins-unread', detail });
    }
  };

  const checks = createLoop<string>(
    async () => {
      const began = doubts;
      const found = await check();
      // A result from before the connection was lost, or before a doubt, is not about whoever answers now.
      if (doubts === began) become(found);
      else checks.signal('doubted meanwhile');
    },
    (error) => emit({ kind: 'fault', where: 'participant', error }),
  );

  /** From here on, nothing that is under way may make it verified again. */
  const lose = (why: Unready): void => {
    doubts += 1;
    candidate = null;
    become(unverified(why));
  };

  const doubt = (why: Doubt): void => {
    if (state.kind === 'verified' && why.kind !== 'pins-changed')
      emit({
        kind: 'alarm',
        what: `nothing is claimed until the participant is verified again: ${doubtWords(why)}`,
        txHash: null,
      });
    if (why.kind === 'halted') toHalt = why.why;
    lose({ kind: 'doubt', doubt: why });
    checks.signal('doubt');
  };

  const prove = async (signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'> => {
    if (state.kind === 'unverified') return 'unsure';
    const verified = state;
    const { pinned, participantId } = verified;
    const call = { timeoutMs: PROOF_CALL_MS, signal };
    if (pinned.mark !== null) {
      const shown = await showsMark(ledger, pinned, call);
      if (shown === 'shown') return 'proven';
      if (shown === 'missed') {
        doubt({ kind: 'mark-missed', where: 'update' });
        return 'another';
      }
    }
    // Nothing is marked, or the mark is pruned: the id has to do, or the operator's word before the first mark.
    const byId = await proveById(ledger, verified, call);
    if (byId.kind === 'another') doubt({ kind: 'another-id', id: byId.id, verified: participantId });
    return byId.kind;
  };

  const checkBound: Participant['checkBound'] = (txHash, record, time) => {
    if (time === null || time.synchronizerId !== settings.synchronizerId) return;
    if (!brokenBound(time.recordTime, record)) return;
    const lateMs = missedByMs(time.recordTime, record);
    const reason = `${txHash} was accepted ${lateMs} ms after its bound: LEDGER_TIME_TOLERANCE_MS is too low; raise it with \`migrate --tolerance\``;
    emit({ kind: 'alarm', what: `halted: ${reason}`, txHash });
    doubt({ kind: 'halted', why: { reason, lateMs } });
  };

  /** Our own submission's record time shows how far the clocks are apart, and whether its bound held. */
  const measure = async (seen: Candidate, shown: Told | null, pinned: Pinned): Promise<void> => {
    const { mark, own } = seen;
    if (own === null) return;
    if (candidate === seen) candidate = { mark, own: null };
    const told = shown ?? (await toldBy(ledger, mark, { timeoutMs: PROOF_CALL_MS, signal: stopping.signal }));
    if (told === null) return;
    const { time, paidTraffic } = told;
    if (paidTraffic !== null) emit({ kind: 'traffic', paid: paidTraffic, accepted: true, txHash: null });
    if (time === null || time.synchronizerId !== settings.synchronizerId) return;
    clocks.sawRecordTime(time.recordTime);
    clocks.measured({ ...own, recordTime: time.recordTime }, pinned.clockSkewMaxMs);
    checkBound(own.txHash, own.record, time);
  };

  /** Keeps the marks: what the next check, by any instance, compares the participant with. */
  const tick = async (): Promise<void> => {
    if (state.kind === 'unverified') return checks.signal('still not ready');
    const fresh = await store.pinned();
    if (fresh === null || fresh.generation !== state.pinned.generation)
      return doubt({ kind: 'pins-changed' });
    const what = await store.missing(fresh);
    if (what.length > 0) return lose({ kind: 'missing', what });
    // Meanwhile it may have been lost, and found again under newer pins.
    if (!isVerified() || state.pinned.generation !== fresh.generation) return;
    state = { ...state, pinned: fresh };
    const seen = candidate;
    const next = seen !== null && seen.mark.offset > (fresh.mark?.offset ?? -1n) ? seen : null;
    const moved =
      next === null ? null : await moveMark(ledger, state, next.mark, stopping.signal, PROOF_CALL_MS);
    if (moved?.kind === 'missed') return doubt({ kind: 'mark-missed', where: 'stream' });
    if (seen !== null) await measure(seen, moved?.kind === 'shown' ? moved : null, fresh);
    if (!isVerified()) return;
    // A ledger end counts for all only between two proofs: another participant's would shut this one out for ever.
    const before = await prove(stopping.signal);
    const now = before === 'proven' ? await ledger.ledgerEnd(options()) : null;
    const after = now?.kind === 'read' ? await prove(stopping.signal) : 'unsure';
    if (now?.kind !== 'read' || after !== 'proven') return;
    provenEnd = now.value;
    provedEnd(now.value);
    await store.advanceMarks({
      generation: fresh.generation,
      ledgerEnd: now.value,
      mark: moved?.kind === 'shown' ? (next?.mark ?? null) : null,
      oldMark: moved?.kind === 'shown' ? moved.by : null,
    });
  };

  const isVerified = (): boolean => state.kind === 'verified';

  let unsubscribe: (() => void) | null = null;
  let ticking: { stop(): Promise<void> } | null = null;
  return {
    start() {
      unsubscribe = ledger.onReady((ready) => {
        if (!ready) lose({ kind: 'connection-lost' });
        checks.signal(ready ? 'connected' : 'lost');
      });
      const tickMs = (): number =>
        !isVerified() || clocks.tooFar() ? Math.min(settings.probeMs, MARK_EVERY_MS) : MARK_EVERY_MS;
      ticking = every(tickMs, 0.2, tick, (error) => emit({ kind: 'fault', where: 'participant', error }));
      checks.signal('start');
    },
    async stop() {
      unsubscribe?.();
      stopping.abort();
      await Promise.all([ticking?.stop(), checks.stop()]);
    },
    verified: () => (state.kind === 'verified' ? state : null),
    sentFrom: () => provenEnd,
    ledgerEnd: () => end,
    mayLag: () => end < highestEnd,
    sawLedgerEnd,
    sawAcceptance(mark, own) {
      provedEnd(mark.offset);
      if (candidate === null || mark.offset > candidate.mark.offset) candidate = { mark, own: own ?? null };
    },
    checkBound,
    prove,
    provable(yes) {
      if (yes !== canProve) emit({ kind: 'mark', state: yes ? 'provable' : 'unprovable' });
      canProve = yes;
    },
    doubt,
  };
}
