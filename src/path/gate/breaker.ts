import type { SubmitterEvent } from '../../observe/events.js';
import type { Clock } from '../../ports/clock.js';
import type { Refusal } from '../../protocol/outcome.js';
import type { Breaker, Subject } from '../given/context.js';
import {
  abandoned,
  allConfirmed,
  allowance,
  type BreakerState,
  type Congestion,
  closedBreaker,
  isExhausted,
  keyWait,
  noSuspicion,
  onConfirmed,
  onMalformed,
  onMissed,
  onOverload,
  onProbe,
  onProbeOver,
  onRefused,
  onServed,
  onTaken,
  onTokenServed,
  roomFor,
  type Suspicion,
  uncongested,
  withoutKeys,
} from './refusals.js';

interface BreakerContext {
  readonly settings: { readonly concurrency: number; readonly probeMs: number };
  readonly clock: Clock;
  readonly emit: (event: SubmitterEvent) => void;
}

/**
 * Keeps what the functions of `refusals.ts` decide by, and tells when it changes. `onClosed`: what waited behind it goes at
 * once, not at the next poll.
 */
export function createBreaker({ settings, clock, emit }: BreakerContext, onClosed: () => void): Breaker {
  let state: BreakerState = closedBreaker;
  let congestion: Congestion = uncongested(settings.concurrency);
  let confirmations = allConfirmed;
  const suspicions = new Map<string, Suspicion>();
  emit({ kind: 'congestion', limit: congestion.limit, ceiling: congestion.ceiling, reason: null });

  const become = (next: BreakerState): void => {
    const before = state.all;
    state = next;
    if (before === null && next.all !== null)
      emit({ kind: 'breaker', state: 'open', key: null, reason: next.all.reason });
    if (before === null || next.all !== null) return;
    emit({ kind: 'breaker', state: 'closed', key: null, reason: before.reason });
    onClosed();
  };

  const open = ({ sender, receiver }: Subject, refusal: Refusal, key: string | null, held: boolean): void => {
    const known = key === null || state.keys.has(key);
    const reason = reasonOf(refusal);
    become(onRefused(state, { sender, receiver, key, reason, held }, clock.elapsed(), settings.probeMs));
    // If it opened for everybody instead, that has been told.
    if (!known && key !== null && state.keys.has(key)) emit({ kind: 'breaker', state: 'open', key, reason });
  };

  const congested = (next: Congestion, reason: string | null): void => {
    const before = Math.floor(congestion.limit);
    congestion = next;
    const limit = Math.floor(next.limit);
    if (limit !== before) emit({ kind: 'congestion', limit, ceiling: next.ceiling, reason });
  };

  /** Fewer at a time; where even one is too many, only probes. */
  const shrink = (of: Subject, refusal: Refusal): void => {
    const exhausted = isExhausted(congestion, of.beganAt);
    congested(onOverload(congestion, of.beganAt, clock.elapsed()), reasonOf(refusal));
    if (exhausted) open(of, refusal, null, false);
  };

  /** Our configuration, our bug, or one odd row: what becomes of the token's other rows tells which. */
  const malformed = (of: Subject, refusal: Refusal): boolean => {
    const before = suspicions.get(of.token) ?? noSuspicion;
    const { suspicion, whose } = onMalformed(before, of.row);
    suspicions.set(of.token, suspicion);
    const key = keysOf(of).token;
    // Told when it begins, and when it turns out not to be one row's trouble; in between it only repeats itself.
    const begins = before.rows.size === 0 && suspicion.rows.size > 0;
    if (begins || (whose === 'token' && !state.keys.has(key))) {
      const what = `MALFORMED: the ledger rejects ${whose === 'token' ? 'our requests' : 'a request'} for token ${of.token} as malformed: ${reasonOf(refusal)}. Check CANTON_SYNCHRONIZER_ID, CANTON_ISSUER_PARTY, the *_PACKAGE settings and this token in TOKENS_FILE`;
      emit({ kind: 'alarm', what, txHash: of.row });
    }
    if (whose === 'row') return true;
    open(of, refusal, key, false);
    return false;
  };

  return {
    allowance() {
      const now = clock.elapsed();
      const gone = abandoned(state, now);
      for (const key of gone)
        emit({ kind: 'breaker', state: 'closed', key, reason: 'no row waits for it any more' });
      if (gone.length > 0) become(withoutKeys(state, gone));
      return allowance(state, now);
    },
    room: (inFlight) => roomFor(congestion, inFlight),
    isOpen: () => state.all !== null,
    beginProbe() {
      if (state.all !== null)
        emit({ kind: 'breaker', state: 'probing', key: null, reason: state.all.reason });
      become(onProbe(state));
    },
    endProbe: () => become(onProbeOver(state, clock.elapsed(), settings.probeMs)),
    refused(of, refusal) {
      switch (refusal.kind) {
        case 'for-good':
        case 'try-again':
          return true;
        case 'overload':
          shrink(of, refusal);
          return false;
        case 'unconfirmed': {
          const { state: next, whose } = onMissed(confirmations, of.row);
          confirmations = next;
          // One receiver whose participant is gone is not a reason to send less to the others.
          if (whose === 'everybody') {
            shrink(of, refusal);
            open(of, refusal, null, false);
          }
          return whose === 'row';
        }
        case 'suspect':
          if (refusal.blame === 'token') return malformed(of, refusal);
          open(of, refusal, keyOf(of, refusal), true);
          return state.all === null;
        case 'not-the-row':
          open(of, refusal, keyOf(of, refusal), false);
          return false;
      }
    },
    served(of) {
      const keys = Object.values(keysOf(of));
      for (const key of keys)
        if (state.keys.has(key)) emit({ kind: 'breaker', state: 'closed', key, reason: 'served again' });
      become(onServed(state, keys));
      confirmations = onConfirmed(confirmations);
      const suspicion = suspicions.get(of.token);
      if (suspicion !== undefined) suspicions.set(of.token, onTokenServed(suspicion));
      congested(onTaken(congestion), null);
    },
    wait(of) {
      const answer = keyWait(state, Object.values(keysOf(of)), clock.elapsed(), settings.probeMs);
      become(answer.state);
      return answer.wait === null
        ? null
        : { ...answer.wait, counts: answer.wait.counts && state.all === null };
    },
  };
}

const reasonOf = ({ errorId, detail }: Refusal): string => `${errorId}: ${detail}`;

/** What a refusal can be blamed on. */
const keysOf = ({ receiver, token, sender }: Subject) => ({
  receiver: `receiver:${receiver}`,
  token: `token:${token}`,
  sender: `sender:${sender}`,
});

const keyOf = (of: Subject, { blame }: Refusal): string | null =>
  blame === 'all' ? null : keysOf(of)[blame];
