/**
 * Whose fault a refusal is, where only the fate of other rows can tell. Pure. What may be everybody's trouble is not held
 * against a row: one wrong setting, or a network that confirms nothing, must not park rows by the hundred. And one row's
 * trouble (an odd value, a receiver whose participant is gone) is not held against everybody.
 */

/** This many different rows, and nobody served in between: the rows are not to blame. */
const WIDESPREAD = 3;
/** The most rows remembered, of each kind; the oldest is forgotten, and then treated as if met for the first time. */
const MAX_ROWS = 10_000;

/** For one token: the rows whose request the ledger found malformed. */
export interface Suspicion {
  /** Since the token was last served; only as many as are needed to tell. */
  readonly rows: ReadonlySet<string>;
  /** Refused before the token was served again, so the trouble is theirs alone. */
  readonly odd: ReadonlySet<string>;
}

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
