// The database, in memory: the statements of src/store as far as they guard a row, and a standby that may be behind.
// Every statement is one step; what it wrote is kept as a state of its own, so that a failover can go back to it.
import {
  type ClaimToken,
  type DbMillis,
  dbMillis,
  type Offset,
  type Party,
  type RowId,
  type TxHash,
} from '../../../src/core/ids.js';
import type { Recheck } from '../../../src/ports/store.js';
import { isReserved, type Lanes, type Reservation } from '../../../src/protocol/lanes.js';
import type { Mark } from '../../../src/protocol/proof.js';
import type { SubmissionRecord } from '../../../src/protocol/record.js';
import type { Verdict } from '../../../src/protocol/verdict.js';
import { lowestOf, mayBegin, reservationsOf } from './lanes.js';
import type { Rules } from './rules.js';
import { SKEW_MAX_MS, TOLERANCE_MS, WINDOW_MAX_MS, WINDOW_MS } from './times.js';

export interface Row {
  /** In the order of their nonces. */
  readonly id: number;
  readonly sender: number;
  readonly txHash: TxHash;
  readonly amount: number;
  readonly steps: 1 | 2;
  readonly status: 'pending' | 'completed' | 'failed';
  readonly token: ClaimToken | null;
  readonly record: SubmissionRecord | null;
  /** LANES=holdings: what it spends, known with the record; and on whom it waits for how long. */
  readonly inputs: readonly string[] | null;
  readonly waits: { readonly on: readonly RowId[]; readonly until: number } | null;
  readonly attempts: number;
  /** On the database's clock; infinity: parked. */
  readonly availableAt: number;
  readonly lastError: string | null;
}

/** The `users` row of a sender, and what a claim makes of it. */
export interface User {
  readonly party: Party;
  readonly hosted: boolean;
}

interface State {
  /** Null: not inserted, or its insert was lost. */
  readonly rows: readonly (Row | null)[];
  readonly generation: number;
  readonly timeline: number;
  readonly ledgerEnd: Offset;
  readonly mark: Mark | null;
  readonly recheck: Recheck | null;
}

export interface Claim {
  readonly row: Row;
  readonly token: ClaimToken;
  readonly user: User;
  /** Written by this claim. */
  readonly own: SubmissionRecord | null;
  readonly now: DbMillis;
  /** The pinned generation it was claimed under. */
  readonly generation: number;
  /** Of a look: the bound of the record that is looked up. */
  readonly looksUp: DbMillis | null;
}

type Write = 'claim' | 'record' | 'other';

/** `refused`: what it was concluded from has changed; the row is left to its lease. */
export type SettleAnswer = 'settled' | 'fenced' | 'stale' | 'refused';

export class Database {
  #state: State;
  /** What was before each write. */
  #history: { readonly state: State; readonly by: Write }[] = [];
  /** By row: what was pinned when it was inserted. */
  readonly #pinnedAt: Pick<State, 'ledgerEnd' | 'mark'>[];
  #tokens = 0;
  /** Of the write-ahead log: every promotion counts it up. */
  timeline = 1;
  /** This far is its clock ahead of the world's. */
  offset: number;

  constructor(
    rows: readonly (Row | null)[],
    offset: number,
    pinned: { readonly ledgerEnd: Offset; readonly mark: Mark | null },
    private readonly clock: () => number,
    private readonly rules: Rules,
    private readonly lanes: Lanes,
    /** The `users` table, which others write. */
    private readonly user: (row: Row) => User,
  ) {
    this.offset = offset;
    this.#state = { rows, generation: 1, timeline: 1, ...pinned, recheck: null };
    this.#pinnedAt = rows.map(() => pinned);
  }

  now(): DbMillis {
    return dbMillis(Math.floor(this.clock() + this.offset));
  }

  pinned(): State {
    return this.#state;
  }

  rows(): readonly (Row | null)[] {
    return this.#state.rows;
  }

  row(id: number): Row | null {
    return this.#state.rows[id] ?? null;
  }

  #known(): boolean {
    return this.#state.timeline === this.timeline;
  }

  #commit(by: Write, state: State): void {
    this.#history.push({ state: this.#state, by });
    this.#state = state;
  }

  #write(by: Write, id: number, patch: Partial<Row>): void {
    this.#commit(by, {
      ...this.#state,
      rows: this.#state.rows.map((row) => (row !== null && row.id === id ? { ...row, ...patch } : row)),
    });
  }

  /** `kept`: every standby has it too, so that no failover loses the insert. */
  insert(row: Row, kept: boolean): void {
    const withIt = (state: State): State => ({
      ...state,
      rows: state.rows.map((one, id) => (id === row.id ? row : one)),
    });
    this.#commit('other', withIt(this.#state));
    if (!kept) this.#pinnedAt[row.id] = this.#state;
    if (kept) this.#history = this.#history.map(({ state, by }) => ({ state: withIt(state), by }));
  }

  /** One row a claim. A claim of fresh rows writes the record of a hosted sender, unless it says what is spent; a look leaves it alone. */
  claim(kind: 'fresh' | 'undecided', generation: number, sentFrom: Offset): Claim | 'none' | 'stale' {
    if (this.rules.timeline.claim && !(this.#known() && this.#state.generation === generation))
      return 'stale';
    const now = this.now();
    const byHoldings = this.lanes === 'holdings';
    const begins = mayBegin(this.#state.rows, now, this.rules);
    const row = this.#state.rows.find(
      (one): one is Row =>
        one !== null &&
        one.status === 'pending' &&
        one.token === null &&
        one.availableAt <= now &&
        (one.record === null) === (kind === 'fresh') &&
        (kind === 'undecided' || !byHoldings || begins(one)),
    );
    if (row === undefined) return 'none';
    this.#tokens += 1;
    const token = `t${this.#tokens}` as ClaimToken;
    const by = this.user(row);
    const own: SubmissionRecord | null =
      kind === 'fresh' && by.hosted && this.rules.writeAhead && !byHoldings
        ? {
            sentFrom,
            sentUntil: dbMillis(now + WINDOW_MS + TOLERANCE_MS),
            submissionId: token,
            party: by.party,
            sentOn: 1,
            hash: null,
          }
        : null;
    this.#write('claim', row.id, {
      token,
      attempts: row.attempts + (kind === 'fresh' ? 1 : 0),
      record: own ?? row.record,
    });
    const claimed = this.row(row.id);
    const looksUp = kind === 'undecided' ? (row.record?.sentUntil ?? null) : null;
    return claimed === null ? 'none' : { row: claimed, token, user: by, own, now, generation, looksUp };
  }

  #holds(id: number, token: ClaimToken): boolean {
    const row = this.row(id);
    return row !== null && row.token === token && row.status === 'pending';
  }

  writeAhead(claim: Claim, record: SubmissionRecord, generation: number): 'written' | 'fenced' | 'stale' {
    if (this.#isStale(generation)) return 'stale';
    if (!this.#holds(claim.row.id, claim.token)) return 'fenced';
    this.#write('record', claim.row.id, { record });
    return 'written';
  }

  #isStale(generation: number): boolean {
    return this.rules.timeline.writeAhead && !(this.#known() && this.#state.generation === generation);
  }

  /** LANES=holdings: the write-ahead, with what is spent. */
  reserve(
    claim: Claim,
    record: SubmissionRecord,
    inputs: readonly string[],
    generation: number,
  ): 'written' | 'fenced' | 'stale' | 'reserved' | 'earlier' {
    const { holdings } = this.rules;
    const { id, sender } = claim.row;
    if (this.#isStale(generation)) return 'stale';
    if (holdings.reservedOnce && inputs.some(isReserved(this.reserved(record.party)))) return 'reserved';
    if (holdings.lowestFirst && lowestOf(this.#state.rows, sender)?.id !== id) return 'earlier';
    if (holdings.fence ? !this.#holds(id, claim.token) : this.row(id)?.status !== 'pending') return 'fenced';
    this.#write('record', id, { record, inputs });
    return 'written';
  }

  /** LANES=holdings: what the party's undecided rows spend. */
  reserved(party: Party): Reservation[] {
    return reservationsOf(this.#state.rows, party, this.rules);
  }

  /** LANES=holdings: what a claimed row waits on once it is given back. */
  awaitRows({ row, token }: Claim, on: readonly RowId[], waitMs: number): void {
    if (this.#holds(row.id, token))
      this.#write('other', row.id, { waits: { on, until: this.now() + waitMs } });
  }

  settle(claim: Claim, verdict: Verdict): SettleAnswer {
    const {
      row: { id },
      token,
      generation,
      looksUp,
    } = claim;
    const row = this.row(id);
    if (row === null) return 'fenced';
    if (this.rules.fence ? !this.#holds(id, token) : row.status !== 'pending') return 'fenced';
    // The token may be one that a standby still has, of a claim whose successors it lost: nothing is final on a
    // timeline that nobody has rechecked.
    if (this.rules.timeline.settle && verdict.kind === 'failed' && !this.#known()) return 'stale';
    const death = looksUp !== null && verdict.kind === 'pending' && verdict.record === 'clear';
    if (this.rules.timeline.settle && (verdict.kind === 'failed' || death)) {
      if (!this.#known() || this.#state.generation !== generation) return 'refused';
      if (death && row.record?.sentUntil !== looksUp) return 'refused';
    }
    if (verdict.kind !== 'pending') {
      const lastError = verdict.kind === 'failed' ? verdict.detail : row.lastError;
      this.#write('other', id, { status: verdict.kind, record: null, inputs: null, lastError });
      return 'settled';
    }
    const { wait, attempts, lastError } = verdict;
    const kept = wait === 'now' || row.availableAt === Number.POSITIVE_INFINITY;
    this.#write('other', id, {
      token: null,
      record: verdict.record === 'clear' ? null : row.record,
      inputs: verdict.record === 'clear' ? null : this.rules.holdings.kept ? row.inputs : row.inputs && [],
      attempts: Math.max(row.attempts + attempts, 0),
      availableAt: kept
        ? row.availableAt
        : wait === 'parked'
          ? Number.POSITIVE_INFINITY
          : this.now() + Number(wait),
      lastError: lastError ?? row.lastError,
    });
    return 'settled';
  }

  /** Rescue: the lease ran out, whoever holds it. */
  lapse(id: number): boolean {
    if (this.row(id)?.token == null || this.row(id)?.status !== 'pending') return false;
    this.#write('other', id, { token: null });
    return true;
  }

  /** What a person may do at any time: it keeps the record. */
  replay(): boolean {
    const now = this.now();
    const due = this.rows().filter(
      (row): row is Row =>
        row !== null && row.status === 'pending' && row.token === null && row.availableAt > now,
    );
    for (const { id } of due) this.#write('other', id, { availableAt: now });
    return due.length > 0;
  }

  advanceMarks(ledgerEnd: Offset, mark: Mark | null): boolean {
    if (this.rules.timeline.marks && !this.#known()) return false;
    const { ledgerEnd: end, mark: old } = this.#state;
    const next = mark !== null && (old === null || mark.offset > old.offset) ? mark : old;
    if (ledgerEnd <= end && next === old) return false;
    this.#commit('other', { ...this.#state, ledgerEnd: ledgerEnd > end ? ledgerEnd : end, mark: next });
    return true;
  }

  /**
   * The primary is gone, and with it its last writes; the new one's clock is its own. `claim`: it has a claim, and
   * nothing of what came after, which is where a token outlives its successors.
   */
  failover(to: 'any' | 'claim', lag: number, offset: number): number {
    const all = this.#history.length;
    const states = Array.from({ length: all + 1 }, (_, n) => all - n);
    const standby =
      to === 'any' ? states : states.filter((n) => n > 0 && this.#history[n - 1]?.by === 'claim');
    const keep = standby[Math.min(lag, standby.length - 1)] ?? all;
    this.#state = this.#history[keep]?.state ?? this.#state;
    this.#history = this.#history.slice(0, keep);
    this.timeline += 1;
    this.offset = offset;
    return all - keep;
  }

  /**
   * The standby never had this row: no later failover can bring back what became of it. Nor had it what was pinned later: a
   * standby lacks the end of the log, never a part from its middle.
   */
  forget(id: number): void {
    const { ledgerEnd, mark } = this.#pinnedAt[id] ?? this.#state;
    const earlier = (end: Offset): Offset => (end < ledgerEnd ? end : ledgerEnd);
    const without = (state: State): State => ({
      ...state,
      rows: state.rows.map((row, index) => (index === id ? null : row)),
      ledgerEnd: earlier(state.ledgerEnd),
      mark: state.ledgerEnd > ledgerEnd ? mark : state.mark,
      recheck: state.recheck && { ...state.recheck, from: earlier(state.recheck.from) },
    });
    this.#history = this.#history.map(({ state, by }) => ({ state: without(state), by }));
    this.#state = without(this.#state);
  }

  /** The first who sees the new timeline, in one transaction: whatever was written last may be lost (P20). */
  recheck(generation: number, notBefore: DbMillis): boolean {
    const { takesToken, allowsForSkew, newGeneration, forgetsInputs } = this.rules.recheck;
    const state = this.#state;
    if (this.#known() || state.generation !== generation) return false;
    const skew = allowsForSkew ? SKEW_MAX_MS : 0;
    const bound = dbMillis(Math.max(this.now(), notBefore) + WINDOW_MAX_MS + TOLERANCE_MS + skew);
    const rows = state.rows.map((row): Row | null => {
      if (row === null || row.status !== 'pending') return row;
      const token = takesToken ? null : row.token;
      return { ...row, token, record: this.#unknown(row, bound), inputs: forgetsInputs ? null : row.inputs };
    });
    const { recheck: known, ledgerEnd } = state;
    this.#commit('other', {
      ...state,
      rows,
      generation: newGeneration ? this.timeline * 1_000 : generation + 1,
      timeline: this.timeline,
      recheck: {
        from: known !== null && known.from < ledgerEnd ? known.from : ledgerEnd,
        until: dbMillis(Math.max(bound, known?.until ?? 0)),
      },
    });
    return true;
  }

  /** What the lost part of the log may have held: a later submission than the row shows, of another id, for longer. */
  #unknown(row: Row, bound: DbMillis): SubmissionRecord | null {
    const { record, steps } = row;
    const { widens, forgetsId, rowsWithoutRecord } = this.rules.recheck;
    const user = this.user(row);
    const from = this.#state.ledgerEnd;
    if (record === null && !rowsWithoutRecord) return null;
    const id = forgetsId || record === null ? null : record.submissionId;
    const hash = forgetsId || record === null ? null : record.hash;
    if (record !== null && !widens) return { ...record, submissionId: id, hash };
    // Whatever its own record says: the one that was lost may have said that nothing bounds it.
    const endless = (steps === 2 && user.hosted) || record?.sentUntil === null;
    return {
      sentFrom: record !== null && record.sentFrom < from ? record.sentFrom : from,
      sentUntil: endless ? null : dbMillis(Math.max(bound, record?.sentUntil ?? 0)),
      submissionId: id,
      party: record?.party ?? user.party,
      sentOn: 1,
      hash,
    };
  }
}
