/**
 * Whose fault a refusal is that only shows by what becomes of the others, pure. Nothing is held against a row that may
 * be everybody's: one wrong setting, or a network that confirms nothing, must not park rows by the hundred. And nothing
 * is held against everybody that is one row's: an odd value, a receiver whose participant is gone.
 */

/** So many different rows, and nobody served between them: it is not the rows. */
const WIDESPREAD = 3;
/** Rows remembered at most, of each kind; the oldest goes, and is met as if for the first time. */
const MAX_ROWS = 10_000;

/** Of one token: rows whose request the ledger found malformed. */
export interface Doubt {
  /** Since the token was last served; no more than are needed to tell. */
  readonly rows: ReadonlySet<string>;
  /** Refused before the token was served: theirs alone. */
  readonly odd: ReadonlySet<string>;
}

export const noDoubt: Doubt = { rows: new Set(), odd: new Set() };

export const onMalformed = (
  doubt: Doubt,
  row: string,
): { readonly doubt: Doubt; readonly whose: 'row' | 'token' } => {
  if (doubt.odd.has(row)) return { doubt, whose: 'row' };
  const rows = doubt.rows.size < WIDESPREAD ? new Set(doubt.rows).add(row) : doubt.rows;
  return { doubt: { ...doubt, rows }, whose: rows.size < WIDESPREAD ? 'row' : 'token' };
};

/** A request of this token was taken: what was refused before is odd by itself. */
export const onTokenServed = (doubt: Doubt): Doubt =>
  doubt.rows.size === 0
    ? doubt
    : { rows: new Set(), odd: new Set([...doubt.odd, ...doubt.rows].slice(-MAX_ROWS)) };

/** Rows that the network did not confirm, and how the others fared meanwhile. */
export interface Confirmations {
  readonly served: number;
  readonly missed: number;
  /** Different rows since the last that was served; no more than are needed to tell. */
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

/** `row`: since its last miss most of the others were confirmed, so that it is its own receiver's or sender's trouble. */
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
