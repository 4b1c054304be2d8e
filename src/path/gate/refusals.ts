// What refusals say about the ledger, pure: whether it is worth asking, how much it takes at a time, and whose trouble a
// refusal is. `breaker.ts` keeps the states.
import type { KeyWait } from '../given/context.js';

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

/** This many different senders and receivers, or rows, and nobody served in between: the trouble is everybody's. */
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
  return { all: null, keys: withoutKeys(state, keys).keys, recent: [] };
}

/** Whoever waits for an open key asks for it much more often. */
const ABANDONED_MS = 600_000;

/**
 * Open keys that no row waits for any more: parked, failed by hand, done by another instance. They would stay open for ever,
 * since only what is sent for them closes them. While it is open for everybody nothing is claimed, so nobody asks.
 */
export const abandoned = (state: BreakerState, now: number): readonly string[] =>
  state.all === null
    ? [...state.keys].flatMap(([key, { probeAt }]) => (now - probeAt > ABANDONED_MS ? [key] : []))
    : [];

export function withoutKeys(state: BreakerState, keys: readonly string[]): BreakerState {
  const left = new Map(state.keys);
  for (const key of keys) left.delete(key);
  return { ...state, keys: left };
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
    const counts = open.every((one) => one.held);
    return { wait: { ms: last.probeAt - now, reason: last.reason, counts }, state };
  }
  // This row is the probe of its open keys: the next one waits for the interval after it.
  const next = new Map(state.keys);
  for (const key of keys) {
    const was = next.get(key);
    if (was !== undefined) next.set(key, { ...was, probeAt: now + intervalMs });
  }
  return { wait: null, state: { ...state, keys: next } };
}

/**
 * How much this process may have in flight, pure: it grows by addition with what is served, and is halved by a refusal for
 * overload. So it settles at the participant's own limit, whoever else submits to it.
 */
export interface Congestion {
  /** Between 1 and `ceiling`; its whole part counts. */
  readonly limit: number;
  readonly ceiling: number;
  /** Elapsed ms of the last cut. A refusal of what began before it is about what was in flight then, and does not cut again. */
  readonly cutAt: number;
}

export const uncongested = (ceiling: number): Congestion => ({
  limit: ceiling,
  ceiling,
  cutAt: Number.NEGATIVE_INFINITY,
});

/** One more for each time that everything in flight has been served once. */
export const onTaken = (state: Congestion): Congestion =>
  state.limit >= state.ceiling
    ? state
    : { ...state, limit: Math.min(state.ceiling, state.limit + 1 / state.limit) };

/** `beganAt`: elapsed ms, before the refused request began. At most one cut per round trip. */
export const onOverload = (state: Congestion, beganAt: number, now: number): Congestion =>
  beganAt <= state.cutAt ? state : { ...state, limit: Math.max(1, state.limit / 2), cutAt: now };

/** Even one at a time is too much: shrinking does not help any more. */
export const isExhausted = (state: Congestion, beganAt: number): boolean =>
  beganAt > state.cutAt && state.limit < 2;

export const roomFor = (state: Congestion, inFlight: number): number =>
  Math.max(0, Math.floor(state.limit) - inFlight);

/**
 * Whose fault a refusal is, where only the fate of other rows can tell. Pure. What may be everybody's trouble is not held
 * against a row: one wrong setting, or a network that confirms nothing, must not park rows by the hundred. And one row's
 * trouble (an odd value, a receiver whose participant is gone) is not held against everybody.
 *
 * This is of one token: the rows whose request the ledger found malformed.
 */
export interface Suspicion {
  /** Since the token was last served; only as many as are needed to tell. */
  readonly rows: ReadonlySet<string>;
  /** Refused before the token was served again, so the trouble is theirs alone. */
  readonly odd: ReadonlySet<string>;
}

/** The most rows remembered, of each kind; the oldest is forgotten, and then treated as if met for the first time. */
const MAX_ROWS = 10_000;

export const noSuspicion: Suspicion = { rows: new Set(), odd: new Set() };

export const onMalformed = (
  suspicion: Suspicion,
  row: string,
): { readonly suspicion: Suspicion; readonly whose: 'row' | 'token' } => {
  if (suspicion.odd.has(row)) return { suspicion, whose: 'row' };
  const rows = suspicion.rows.size < WIDESPREAD ? new Set(suspicion.rows).add(row) : suspicion.rows;
  return { suspicion: { ...suspicion, rows }, whose: rows.size < WIDESPREAD ? 'row' : 'token' };
};

/** A request for this token was accepted, so what was refused before it is odd by itself. */
export const onTokenServed = (suspicion: Suspicion): Suspicion =>
  suspicion.rows.size === 0
    ? suspicion
    : { rows: new Set(), odd: new Set([...suspicion.odd, ...suspicion.rows].slice(-MAX_ROWS)) };

/** Rows that the network did not confirm, and what became of the others meanwhile. */
export interface Confirmations {
  readonly served: number;
  readonly missed: number;
  /** Different rows since the last one that was served; only as many as are needed to tell. */
  readonly streak: ReadonlySet<string>;
  /** By row: the counts right after its last miss. */
  readonly misses: ReadonlyMap<string, { readonly served: number; readonly missed: number }>;
}

export const allConfirmed: Confirmations = { served: 0, missed: 0, streak: new Set(), misses: new Map() };

export const onConfirmed = (state: Confirmations): Confirmations => ({
  ...state,
  served: state.served + 1,
  streak: new Set(),
});

/** `row`: most of the others were confirmed since its last miss, so the trouble is its own receiver's or sender's. */
export function onMissed(
  state: Confirmations,
  row: string,
): { readonly state: Confirmations; readonly whose: 'row' | 'unknown' | 'everybody' } {
  const before = state.misses.get(row);
  const alone = before !== undefined && state.served - before.served > state.missed - before.missed;
  const missed = state.missed + 1;
  const streak = state.streak.size < WIDESPREAD ? new Set(state.streak).add(row) : state.streak;
  const misses = new Map(state.misses);
  misses.delete(row);
  misses.set(row, { served: state.served, missed });
  const oldest = misses.keys().next();
  if (misses.size > MAX_ROWS && !oldest.done) misses.delete(oldest.value);
  const whose = streak.size >= WIDESPREAD ? 'everybody' : alone ? 'row' : 'unknown';
  return { state: { ...state, missed, streak, misses }, whose };
}
