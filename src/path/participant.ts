import type { Offset } from '../core/ids.js';
import type { CallOptions, Mark } from '../core/ports.js';
import type { NotReady } from '../observe/events.js';
import { createLoop } from '../runtime/loop.js';
import { every } from '../runtime/timers.js';
import type { PathContext } from './context.js';
import { identify, refuse } from './identify.js';
import { moveMark, showsMark } from './marks.js';
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
  /** An acceptance this instance was shown: the next mark. */
  sawAcceptance(mark: Mark): void;
  /** Is this still the pinned participant, with its history? For verdicts that depend on the ledger's state. */
  prove(signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'>;
  /** Check again before anything else is claimed. */
  doubt(why: string): void;
  blocker(): NotReady | null;
}

const CALL_MS = 5_000;
/** Marks are written at most this often. */
const MARK_EVERY_MS = 5_000;

export function createParticipant(path: PathContext, onVerified: () => void): Participant {
  const { settings, store, ledger, emit } = path;
  const stopping = new AbortController();
  const options = (): CallOptions => ({ timeoutMs: CALL_MS, signal: stopping.signal });
  let state: Verified | NotReady = refuse('participant', 'not connected yet');
  let end: Offset = 0n;
  let provenEnd: Offset = 0n;
  let candidate: Mark | null = null;

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

  const loop = createLoop<string>(
    async () => {
      try {
        become(await identify(path, options()));
      } catch (error) {
        become(
          refuse(
            'database',
            `the pinned row cannot be read: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
      }
    },
    (error) => emit({ kind: 'fault', where: 'participant', error }),
  );

  const doubt = (why: string): void => {
    if (!('part' in state)) emit({ kind: 'alarm', what: `participant in doubt: ${why}`, txHash: null });
    become(refuse('participant', why));
    loop.signal('doubt');
  };

  const prove = async (signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'> => {
    if ('part' in state) return 'unsure';
    const { pinned, participantId, mayAskId } = state;
    const call = { timeoutMs: CALL_MS, signal };
    if (pinned.mark !== null) {
      const shown = await showsMark(ledger, pinned.mark, call);
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

  /** Keeps the marks: what the next check, of any instance, holds the participant against. */
  const tick = async (): Promise<void> => {
    if ('part' in state) return loop.signal('still not ready');
    const fresh = await store.pinned();
    if (fresh === null || fresh.generation !== state.pinned.generation)
      return loop.signal('the pinned row changed');
    state = { ...state, pinned: fresh };
    const next = candidate !== null && candidate.offset > (fresh.mark?.offset ?? -1n) ? candidate : null;
    const moved = next === null ? null : await moveMark(ledger, state, next, stopping.signal, CALL_MS);
    if (moved === 'missed') return doubt('its completions do not show the marked one');
    // A ledger end counts for all only between two proofs: another participant's would shut this one out for ever.
    const before = await prove(stopping.signal);
    const now = before === 'proven' ? await ledger.ledgerEnd(options()) : null;
    const after = now?.kind === 'read' ? await prove(stopping.signal) : 'unsure';
    if (now?.kind !== 'read' || after !== 'proven') return;
    provenEnd = now.value;
    sawLedgerEnd(now.value);
    await store.advanceMarks({
      ledgerEnd: now.value,
      mark: moved === 'shown' ? next : null,
      oldMark: fresh.mark,
    });
  };

  let unsubscribe: (() => void) | null = null;
  let ticking: { stop(): Promise<void> } | null = null;
  return {
    start() {
      unsubscribe = ledger.onReady((ready) => {
        if (!ready) become(refuse('participant', 'the connection to the participant is lost'));
        loop.signal(ready ? 'connected' : 'lost');
      });
      const tickMs = (): number =>
        'part' in state ? Math.min(settings.probeMs, MARK_EVERY_MS) : MARK_EVERY_MS;
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
    sawAcceptance(mark) {
      sawLedgerEnd(mark.offset);
      if (candidate === null || mark.offset > candidate.offset) candidate = mark;
    },
    prove,
    doubt,
    blocker: () => ('part' in state ? state : null),
  };
}
