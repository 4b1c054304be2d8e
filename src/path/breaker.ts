import {
  allowance,
  type Blamed,
  type BreakerState,
  closedBreaker,
  keyWait,
  onProbe,
  onProbeOver,
  onRefused,
  onServed,
} from '../core/breaker.js';
import type { PathContext } from './context.js';

/** Holds the breaker's state and tells the world when it changes; every decision is `core/breaker.ts`'s. */
export interface Breaker {
  /** How many rows may be claimed now; `one` is the probe, and taking it counts. */
  allowance(): 'any' | 'one' | 'none';
  /** Why nothing is claimed, or null. */
  open(): string | null;
  beginProbe(): void;
  /** The probe learned nothing. */
  endProbe(): void;
  refused(blamed: Blamed): void;
  served(keys: readonly string[]): void;
  /** Ms that a row with one of these keys has to wait. */
  keyWait(keys: readonly string[]): number;
}

/** `onClosed`: what waited behind it goes at once, not at the next poll. */
export function createBreaker({ settings, clock, emit }: PathContext, onClosed: () => void): Breaker {
  let state: BreakerState = closedBreaker;

  const become = (next: BreakerState): void => {
    const before = state.all;
    state = next;
    if (before === null && next.all !== null)
      emit({ kind: 'breaker', state: 'open', key: null, reason: next.all.reason });
    if (before === null || next.all !== null) return;
    emit({ kind: 'breaker', state: 'closed', key: null, reason: before.reason });
    onClosed();
  };

  return {
    allowance: () => allowance(state, clock.elapsed()),
    open: () => state.all?.reason ?? null,
    beginProbe() {
      if (state.all !== null)
        emit({ kind: 'breaker', state: 'probing', key: null, reason: state.all.reason });
      become(onProbe(state));
    },
    endProbe: () => become(onProbeOver(state, clock.elapsed(), settings.probeMs)),
    refused(blamed) {
      const known = blamed.key !== null && state.keys.has(blamed.key);
      become(onRefused(state, blamed, clock.elapsed(), settings.probeMs));
      if (blamed.key !== null && !known)
        emit({ kind: 'breaker', state: 'open', key: blamed.key, reason: blamed.reason });
    },
    served(keys) {
      for (const key of keys)
        if (state.keys.has(key)) emit({ kind: 'breaker', state: 'closed', key, reason: 'served again' });
      become(onServed(state, keys));
    },
    keyWait(keys) {
      const answer = keyWait(state, keys, clock.elapsed(), settings.probeMs);
      become(answer.state);
      return answer.waitMs;
    },
  };
}
