import type { ClockSample } from '../core/clocks.js';
import type { Offset, TxHash } from '../core/ids.js';
import type { NotReady } from '../observe/events.js';
import type { CallOptions } from '../ports/ledger.js';
import type { Pinned } from '../ports/store.js';
import type { Mark } from '../protocol/proof.js';
import type { SubmissionRecord } from '../protocol/record.js';
import { createLoop } from '../runtime/loop.js';
import { every } from '../runtime/timers.js';
import type { ClockWatch } from './clock-watch.js';
import type { PathContext } from './context.js';
import { type Halt, haltOnBrokenBound } from './halt.js';
import { identify, refuse } from './identify.js';
import type { KnownTimes } from './known-times.js';
import { moveMark, showsMark, type Told, toldBy } from './marks.js';
import type { Verified } from './verified.js';

/**
 * The right participant (P8, P27): on connect, and whenever something speaks against it, it is held against the
 * pinned row. Until it has passed, this instance claims nothing and says why.
 */
export interface Participant {
  start(): void;
  stop(): Promise<void>;
  /** Null: claim nothing, send nothing, look at nothing. */
  verified(): Verified | null;
  /**
   * Where a submission's completion certainly lies after: a ledger end read between two proofs, at the check or since.
   * Never that of whoever answered last, who may be another participant, further on than ours.
   */
  sentFrom(): Offset;
  /** The highest ledger end that was answered since the check: nothing may be read before it. */
  ledgerEnd(): Offset;
  sawLedgerEnd(offset: Offset): void;
  /** An acceptance this instance was shown: the next mark, and where it was its own submission, what measures clocks. */
  sawAcceptance(mark: Mark, own?: OwnSubmission): void;
  /** Is this still the pinned participant, with its history? For verdicts that depend on the ledger's state. */
  prove(signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'>;
  /** Whether undecided rows can be told to be dead at all: not, where the mark is pruned and the id may not be asked. */
  provable(yes: boolean): void;
  /** Nobody may claim any more: written down for all, and until it stands there this instance claims nothing. */
  halt(why: Halt): void;
  /** Check again before anything else is claimed. */
  doubt(why: string): void;
}

/** A submission that this instance sent and was answered. Times are the database's. */
export interface OwnSubmission extends Omit<ClockSample, 'recordTime'> {
  readonly record: SubmissionRecord;
  readonly txHash: TxHash;
}

/** A change of pins is no fault of the participant's, and nothing to look at. */
export const PINS_CHANGED = 'the pinned row changed';

/** What was accepted last, and not measured yet where it is our own. */
interface Candidate {
  readonly mark: Mark;
  readonly own: OwnSubmission | null;
}

const CALL_MS = 5_000;
/** Marks are written at most this often. */
const MARK_EVERY_MS = 5_000;

export function createParticipant(
  path: PathContext,
  { clocks, times }: { readonly clocks: ClockWatch; readonly times: KnownTimes },
  onVerified: () => void,
): Participant {
  const { settings, store, ledger, emit } = path;
  const stopping = new AbortController();
  const options = (): CallOptions => ({ timeoutMs: CALL_MS, signal: stopping.signal });
  let state: Verified | NotReady = refuse('participant', 'not connected yet');
  let end: Offset = 0n;
  let provenEnd: Offset = 0n;
  let canProve = true;
  let doubts = 0;
  let toHalt: Halt | null = null;
  let candidate: Candidate | null = null;

  const sawLedgerEnd = (offset: Offset): void => {
    if (offset > end) end = offset;
  };

  const become = (next: Verified | NotReady): void => {
    const before = state;
    state = next;
    if ('part' in next) {
      if (!('part' in before) || before.reason !== next.reason) emit({ kind: 'not-ready', blockers: [next] });
      return;
    }
    end = next.end;
    provenEnd = next.end;
    if ('part' in before) emit({ kind: 'ready' });
    onVerified();
  };

  /** What was found out while the connection was lost, or somebody doubted, is about nobody who answers now. */
  const check = async (): Promise<Verified | NotReady> => {
    try {
      if (toHalt !== null) {
        await store.halt(toHalt.reason, toHalt.lateMs);
        toHalt = null;
      }
      return await identify(path, options(), times.latest());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return refuse('pins', `the pinned row cannot be read: ${why}`);
    }
  };

  const loop = createLoop<string>(
    async () => {
      const began = doubts;
      const found = await check();
      if (doubts === began) become(found);
      else loop.signal('doubted meanwhile');
    },
    (error) => emit({ kind: 'fault', where: 'participant', error }),
  );

  /** From here on nothing that is under way may make it verified again. */
  const lose = (why: string): void => {
    doubts += 1;
    candidate = null;
    become(refuse('participant', why));
  };

  const doubt = (why: string): void => {
    if (!('part' in state) && why !== PINS_CHANGED)
      emit({ kind: 'alarm', what: `participant in doubt: ${why}`, txHash: null });
    lose(why);
    loop.signal('doubt');
  };

  const prove = async (signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'> => {
    if ('part' in state) return 'unsure';
    const { pinned, participantId, mayAskId } = state;
    const call = { timeoutMs: CALL_MS, signal };
    if (pinned.mark !== null) {
      const shown = await showsMark(ledger, pinned, call);
      if (shown === 'shown') return 'proven';
      if (shown === 'missed') {
        doubt('it does not show the marked update');
        return 'another';
      }
    }
    // Nothing marked, or the mark is pruned: the id has to do, or the operator's word before the first mark.
    const id = await ledger.participantId(call);
    if (id.kind !== 'read') return !mayAskId && pinned.mark === null ? 'proven' : 'unsure';
    if (id.value === participantId) return 'proven';
    doubt(`it is ${id.value}, not ${participantId}`);
    return 'another';
  };

  /** Our own submission's record time tells how far the clocks lie apart, and whether its bound was one. */
  const measure = async (seen: Candidate, shown: Told | null, pinned: Pinned): Promise<void> => {
    const { mark, own } = seen;
    if (own === null) return;
    if (candidate === seen) candidate = { mark, own: null };
    const told = shown ?? (await toldBy(ledger, mark, { timeoutMs: CALL_MS, signal: stopping.signal }));
    if (told === null) return;
    const { time, paidTraffic } = told;
    if (paidTraffic !== null) emit({ kind: 'traffic', paid: paidTraffic, accepted: true });
    if (time === null || time.synchronizerId !== settings.synchronizerId) return;
    times.record(time.recordTime);
    clocks.measured({ ...own, recordTime: time.recordTime }, pinned.clockSkewMaxMs);
    haltOnBrokenBound(path, participant, own, own.record, time);
  };

  /** Keeps the marks: what the next check, of any instance, holds the participant against. */
  const tick = async (): Promise<void> => {
    if ('part' in state) return loop.signal('still not ready');
    const fresh = await store.pinned();
    if (fresh === null || fresh.generation !== state.pinned.generation) return doubt(PINS_CHANGED);
    state = { ...state, pinned: fresh };
    const seen = candidate;
    const next = seen !== null && seen.mark.offset > (fresh.mark?.offset ?? -1n) ? seen : null;
    const moved = next === null ? null : await moveMark(ledger, state, next.mark, stopping.signal, CALL_MS);
    if (moved?.kind === 'missed') return doubt('its completions do not show the marked one');
    if (seen !== null) await measure(seen, moved?.kind === 'shown' ? moved : null, fresh);
    if ('part' in state) return;
    // A ledger end counts for all only between two proofs: another participant's would shut this one out for ever.
    const before = await prove(stopping.signal);
    const now = before === 'proven' ? await ledger.ledgerEnd(options()) : null;
    const after = now?.kind === 'read' ? await prove(stopping.signal) : 'unsure';
    if (now?.kind !== 'read' || after !== 'proven') return;
    provenEnd = now.value;
    sawLedgerEnd(now.value);
    await store.advanceMarks({
      generation: fresh.generation,
      ledgerEnd: now.value,
      mark: moved?.kind === 'shown' ? (next?.mark ?? null) : null,
      oldMark: moved?.kind === 'shown' ? moved.by : null,
    });
  };

  let unsubscribe: (() => void) | null = null;
  let ticking: { stop(): Promise<void> } | null = null;
  const participant: Participant = {
    start() {
      unsubscribe = ledger.onReady((ready) => {
        if (!ready) lose('the connection to the participant is lost');
        loop.signal(ready ? 'connected' : 'lost');
      });
      const tickMs = (): number =>
        'part' in state || clocks.tooFar() !== null
          ? Math.min(settings.probeMs, MARK_EVERY_MS)
          : MARK_EVERY_MS;
      ticking = every(tickMs, 0.2, tick, (error) => emit({ kind: 'fault', where: 'participant', error }));
      loop.signal('start');
    },
    async stop() {
      unsubscribe?.();
      stopping.abort();
      await Promise.all([ticking?.stop(), loop.stop()]);
    },
    verified: () => ('part' in state ? null : state),
    sentFrom: () => provenEnd,
    ledgerEnd: () => end,
    sawLedgerEnd,
    sawAcceptance(mark, own) {
      sawLedgerEnd(mark.offset);
      if (candidate === null || mark.offset > candidate.mark.offset) candidate = { mark, own: own ?? null };
    },
    prove,
    halt(why) {
      toHalt = why;
      doubt(why.reason);
    },
    provable(yes) {
      if (yes !== canProve) emit({ kind: 'mark', state: yes ? 'provable' : 'unprovable' });
      canProve = yes;
    },
    doubt,
  };
  return participant;
}
