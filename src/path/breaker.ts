import {
  allowance,
  type BreakerState,
  closedBreaker,
  type KeyWait,
  keyWait,
  onProbe,
  onProbeOver,
  onRefused,
  onServed,
} from '../core/breaker.js';
import {
  type Congestion,
  isExhausted,
  onOverload,
  onTaken,
  roomFor,
  uncongested,
} from '../core/congestion.js';
import type { Party, TxHash } from '../core/ids.js';
import {
  allConfirmed,
  type Doubt,
  noDoubt,
  onConfirmed,
  onMalformed,
  onMissed,
  onTokenServed,
} from '../core/suspicion.js';
import type { Refusal } from '../protocol/outcome.js';
import type { PathContext } from './context.js';

/** Whom an answer is about. */
export interface Subject {
  readonly row: TxHash;
  readonly sender: Party;
  readonly receiver: Party;
  /** The token's address. */
  readonly token: string;
  /** Elapsed ms, before anything of this attempt was begun. */
  readonly beganAt: number;
}

/** Holds the breaker's state and tells the world when it changes; every decision is the core's. */
export interface Breaker {
  /** How many rows may be claimed now; `one` is the probe, and taking it counts. */
  allowance(): 'any' | 'one' | 'none';
  /** How many more may be in flight beside so many. */
  room(inFlight: number): number;
  /** Why nothing is claimed, or null. */
  open(): string | null;
  beginProbe(): void;
  /** The probe learned nothing. */
  endProbe(): void;
  /** Whether the refusal is held against the row: nothing says that it is everybody's. */
  refused(of: Subject, refusal: Refusal): boolean;
  served(of: Subject): void;
  /** What a row has to wait for; `held`: it may be its own trouble, so that waiting counts. */
  wait(of: Subject): KeyWait | null;
}

/** `onClosed`: what waited behind it goes at once, not at the next poll. */
export function createBreaker({ settings, clock, emit }: PathContext, onClosed: () => void): Breaker {
  let state: BreakerState = closedBreaker;
  let congestion: Congestion = uncongested(settings.concurrency);
  let confirmations = allConfirmed;
  const doubts = new Map<string, Doubt>();
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
    // Where it opened for everybody, that was said.
    if (!known && key !== null && state.keys.has(key)) emit({ kind: 'breaker', state: 'open', key, reason });
  };

  const congested = (next: Congestion, reason: string | null): void => {
    const before = Math.floor(congestion.limit);
    congestion = next;
    const limit = Math.floor(next.limit);
    if (limit !== before) emit({ kind: 'congestion', limit, ceiling: next.ceiling, reason });
  };

  /** Fewer at a time; where even one is too many, none but probes. */
  const shrink = (of: Subject, refusal: Refusal): void => {
    const exhausted = isExhausted(congestion, of.beganAt);
    congested(onOverload(congestion, of.beganAt, clock.elapsed()), reasonOf(refusal));
    if (exhausted) open(of, refusal, null, false);
  };

  /** Our configuration, our bug, or one odd row: told by what becomes of the token's others. */
  const malformed = (of: Subject, refusal: Refusal): boolean => {
    const before = doubts.get(of.token) ?? noDoubt;
    const { doubt, whose } = onMalformed(before, of.row);
    doubts.set(of.token, doubt);
    const key = keysOf(of).token;
    // Loud when it begins and when it turns out to be no row's; in between it only repeats itself.
    const begins = before.rows.size === 0 && doubt.rows.size > 0;
    if (begins || (whose === 'token' && !state.keys.has(key))) {
      const what = `MALFORMED: the ledger does not take ${whose === 'token' ? 'our requests' : 'a request'} for token ${of.token}: ${reasonOf(refusal)}. Look at CANTON_SYNCHRONIZER_ID, CANTON_ISSUER_PARTY, the *_PACKAGE settings and this token in TOKENS_FILE`;
      emit({ kind: 'alarm', what, txHash: of.row });
    }
    if (whose === 'row') return true;
    open(of, refusal, key, false);
    return false;
  };

  return {
    allowance: () => allowance(state, clock.elapsed()),
    room: (inFlight) => roomFor(congestion, inFlight),
    open: () => state.all?.reason ?? null,
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
          // A receiver whose participant is gone is no reason to send less to the others.
          if (whose === 'everybody') shrink(of, refusal);
          if (whose === 'everybody') open(of, refusal, null, false);
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
      const doubt = doubts.get(of.token);
      if (doubt !== undefined) doubts.set(of.token, onTokenServed(doubt));
      congested(onTaken(congestion), null);
    },
    wait(of) {
      const answer = keyWait(state, Object.values(keysOf(of)), clock.elapsed(), settings.probeMs);
      become(answer.state);
      return answer.wait === null ? null : { ...answer.wait, held: answer.wait.held && state.all === null };
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
