import type { KeyWait } from '../given/parts.js';

/**
 * The circuit breaker, pure: how refusals that are not the row's fault slow down claiming. An outage of an hour costs a
 * probe per interval and instance, and no row any of its attempts (P18, P29).
 */
export interface BreakerState {
  /** Open for everything: nothing is claimed but one probe at `probeAt`. */
  readonly all: Open | null;
  /** Open for one key (`sender:…`, `receiver:…`, `token:…`) alone. */
  readonly keys: ReadonlyMap<string, Open>;
  /** Refusals blamed on a key since somebody was served, one for each key, to tell one party's trouble from everybody's. */
  readonly recent: readonly { readonly sender: string; readonly receiver: string }[];
}

export interface Open {
  readonly reason: string;
  /** Elapsed ms at which one row may try again. */
  readonly probeAt: number;
  /** A probe is under way. */
  readonly probing: boolean;
  /** It may be its rows' own trouble, so that waiting for it counts, and they park at last. */
  readonly held: boolean;
}

export const closedBreaker: BreakerState = { all: null, keys: new Map(), recent: [] };

/** Three different senders and three different receivers, and nobody served in between: the trouble is everybody's. */
const WIDESPREAD = 3;
/** Keys remembered at most; beyond that the oldest goes, and its rows simply try once more. */
const MAX_KEYS = 10_000;

export interface Blamed {
  readonly sender: string;
  readonly receiver: string;
  /** The key it can be blamed on; null: it is everybody's. */
  readonly key: string | null;
  readonly reason: string;
  readonly held: boolean;
}

export function onRefused(
  state: BreakerState,
  blamed: Blamed,
  now: number,
  intervalMs: number,
): BreakerState {
  const { key, reason, held } = blamed;
  const open: Open = { reason, probeAt: now + intervalMs, probing: false, held };
  if (key === null) return { ...state, all: open };
  // A key that is open already says nothing about anybody else, and a probe that meets it has learned nothing.
  if (state.keys.has(key)) return { ...state, keys: withKey(state.keys, key, open) };
  const recent = [...state.recent, { sender: blamed.sender, receiver: blamed.receiver }];
  const wide =
    new Set(recent.map((one) => one.sender)).size >= WIDESPREAD &&
    new Set(recent.map((one) => one.receiver)).size >= WIDESPREAD;
  if (wide || state.all?.probing) return { all: open, keys: state.keys, recent: wide ? [] : recent };
  return { all: state.all, keys: withKey(state.keys, key, open), recent };
}

function withKey(keys: BreakerState['keys'], key: string, open: Open): ReadonlyMap<string, Open> {
  const next = new Map(keys);
  next.delete(key);
  next.set(key, open);
  const oldest = next.keys().next();
  if (next.size > MAX_KEYS && !oldest.done) next.delete(oldest.value);
  return next;
}

/** The ledger took a submission, or refused it because of the row itself: it works, for these keys too. */
export function onServed(state: BreakerState, keys: readonly string[]): BreakerState {
  const open = keys.some((key) => state.keys.has(key));
  if (state.all === null && !open && state.recent.length === 0) return state;
  const left = new Map(state.keys);
  for (const key of keys) left.delete(key);
  return { all: null, keys: left, recent: [] };
}

/** How many rows may be claimed now. */
export function allowance(state: BreakerState, now: number): 'any' | 'one' | 'none' {
  if (state.all === null) return 'any';
  return !state.all.probing && now >= state.all.probeAt ? 'one' : 'none';
}

export const onProbe = (state: BreakerState): BreakerState =>
  state.all === null ? state : { ...state, all: { ...state.all, probing: true } };

/** The probe found no row, or learned nothing: wait for the next interval. */
export const onProbeOver = (state: BreakerState, now: number, intervalMs: number): BreakerState =>
  state.all === null ? state : { ...state, all: { ...state.all, probing: false, probeAt: now + intervalMs } };

/** How long a row with these keys has to wait, and for which of them; null: it may go, as the probe of those that are open. */
export function keyWait(
  state: BreakerState,
  keys: readonly string[],
  now: number,
  intervalMs: number,
): { readonly wait: KeyWait | null; readonly state: BreakerState } {
  const open = keys.flatMap((key) => state.keys.get(key) ?? []);
  const [last] = open.toSorted((a, b) => b.probeAt - a.probeAt);
  if (last === undefined) return { wait: null, state };
  if (last.probeAt > now) {
    const held = open.every((one) => one.held);
    return { wait: { ms: last.probeAt - now, reason: last.reason, held }, state };
  }
  // This row is the probe of its open keys: the next one waits for the interval after it.
  const next = new Map(state.keys);
  for (const key of keys) {
    const was = next.get(key);
    if (was !== undefined) next.set(key, { ...was, probeAt: now + intervalMs });
  }
  return { wait: null, state: { ...state, keys: next } };
}
