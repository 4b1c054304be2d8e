// Judges a run by the journals alone: only what must be so, whatever happened between the lines.
import { type Claimed, LEASE_MS, type Operation } from './journal.js';

export interface Violations {
  /** R1: a row held by two live claims. */
  sameRow: number;
  /** R2: a sender with two live claims. */
  sameSender: number;
  /** A row claimed although one before it was surely there: lower (nonce, id), or undecided. */
  order: number;
  /** A row claimed that was surely parked. */
  parked: number;
  /** A row claimed before its backoff was over. */
  backoff: number;
  /** A row that ended twice. */
  endedTwice: number;
}

interface Span {
  readonly from: number;
  readonly until: number;
  readonly token: string;
}

interface History {
  readonly id: string;
  sender?: string;
  nonce?: bigint;
  readonly up: Operation[];
  readonly parks: Operation[];
  readonly ends: Operation[];
  readonly clears: Operation[];
  readonly retries: { readonly by: Operation; readonly delay: number }[];
  readonly claims: { readonly by: Operation; readonly claimed: Claimed }[];
}

export function check(operations: readonly Operation[]): { violations: Violations; examples: unknown[] } {
  const violations: Violations = {
    sameRow: 0,
    sameSender: 0,
    order: 0,
    parked: 0,
    backoff: 0,
    endedTwice: 0,
  };
  const examples: unknown[] = [];
  const note = (kind: keyof Violations, what: unknown): void => {
    violations[kind] += 1;
    if (examples.length < 6) examples.push({ kind, what });
  };
  const rows = histories(operations);
  overlaps(operations, (kind, what) => note(kind, what));

  const bySender = new Map<string, History[]>();
  for (const row of rows.values()) {
    if (row.sender === undefined || row.nonce === undefined) continue;
    const lane = bySender.get(row.sender) ?? [];
    lane.push(row);
    bySender.set(row.sender, lane);
  }
  for (const row of rows.values()) {
    if (row.ends.filter((one) => one.answer.changed?.includes(row.id)).length > 1) note('endedTwice', row.id);
  }
  for (const lane of bySender.values()) {
    for (const row of lane) {
      for (const { by, claimed } of row.claims) {
        for (const other of lane) {
          if (other !== row && goesBefore(other, row, by) && surelyThere(other, by)) {
            note('order', { claimed: claimed.id, before: other.id, by: by.op, at: by.sent });
          }
        }
        if (surelyParked(row, by)) note('parked', { id: row.id, at: by.sent });
        for (const { by: retried, delay } of row.retries) {
          const replayed = row.up.some((up) => up.answered >= retried.sent && up.sent <= by.answered);
          if (retried.answered < by.sent && by.answered < retried.sent + delay - 1 && !replayed) {
            note('backoff', { id: row.id, at: by.sent });
          }
        }
      }
    }
  }
  return { violations, examples };
}

function histories(operations: readonly Operation[]): Map<string, History> {
  const rows = new Map<string, History>();
  const row = (id: string): History => {
    const known = rows.get(id) ?? { id, up: [], parks: [], ends: [], clears: [], retries: [], claims: [] };
    rows.set(id, known);
    return known;
  };
  const happened = (by: Operation, id: string): boolean =>
    by.answered === Number.POSITIVE_INFINITY || by.answer.changed?.includes(id) === true;
  for (const by of operations) {
    if (by.op === 'insert' && by.answer.inserted) {
      const { id, sender, nonce } = by.answer.inserted;
      Object.assign(row(id), { sender, nonce: BigInt(nonce) });
      row(id).up.push(by);
    } else if (by.op === 'replay' || by.op === 'park') {
      for (const id of by.ids) if (happened(by, id)) row(id)[by.op === 'park' ? 'parks' : 'up'].push(by);
    } else if (by.op === 'settle') {
      by.ids.forEach((id, n) => {
        if (!happened(by, id)) return;
        const kind = by.kinds[n];
        if (kind === 'parked') row(id).parks.push(by);
        else if (kind === 'completed' || kind === 'failed') row(id).ends.push(by);
        else row(id).retries.push({ by, delay: by.delays[n] ?? 0 });
        if (by.clears[n]) row(id).clears.push(by);
      });
    } else if (by.op === 'claim' || by.op === 'look') {
      for (const claimed of by.answer.claimed ?? []) {
        const known = row(claimed.id);
        known.sender ??= claimed.sender;
        known.nonce ??= BigInt(claimed.nonce);
        known.claims.push({ by, claimed });
      }
    }
  }
  return rows;
}

/** Two holds of one row, or of one sender, at the same time: from the claim's answer to the settle or the lease's end. */
function overlaps(
  operations: readonly Operation[],
  note: (kind: 'sameRow' | 'sameSender', what: unknown) => void,
): void {
  const letGo = new Map<string, number>();
  for (const by of operations) {
    if (by.op !== 'settle') continue;
    for (const token of by.tokens) letGo.set(token, Math.min(letGo.get(token) ?? by.sent, by.sent));
  }
  const claims = operations.flatMap((by) => (by.answer.claimed ?? []).map((claimed) => ({ by, claimed })));
  const renewals = new Map<string, Operation[]>();
  for (const by of operations)
    for (const token of by.answer.kept ?? []) renewals.set(token, [...(renewals.get(token) ?? []), by]);
  for (const [kind, key] of [
    ['sameRow', 'id'],
    ['sameSender', 'sender'],
  ] as const) {
    const groups = new Map<string, Span[]>();
    for (const { by, claimed } of claims) {
      const end = letGo.get(claimed.token) ?? Number.POSITIVE_INFINITY;
      const spans = [
        { from: by.answered, until: claimed.leaseUntil },
        // A renewal counts from when it was sent at the latest: the lease is at least that long.
        ...(renewals.get(claimed.token) ?? []).map((one) => ({
          from: one.answered,
          until: one.sent + LEASE_MS,
        })),
      ];
      const group = groups.get(claimed[key]) ?? [];
      for (const span of spans) {
        const until = Math.min(span.until, end);
        if (until > span.from) group.push({ from: span.from, until, token: claimed.token });
      }
      groups.set(claimed[key], group);
    }
    for (const [name, spans] of groups) {
      spans.sort((a, b) => a.from - b.from);
      let last: Span | undefined;
      for (const span of spans) {
        if (last && last.token !== span.token && span.from < last.until) note(kind, { name, last, span });
        if (last === undefined || span.until > last.until) last = span;
      }
    }
  }
}

const lower = (a: History, b: History): boolean =>
  (a.nonce ?? 0n) < (b.nonce ?? 0n) || (a.nonce === b.nonce && BigInt(a.id) < BigInt(b.id));

/** The rule of a lane: the lowest undecided row, else the lowest. */
function goesBefore(other: History, row: History, by: Operation): boolean {
  if (by.op === 'look') return lower(other, row) && surelyUndecided(other, by);
  return lower(other, row) || surelyUndecided(other, by);
}

/** Committed before the claim was sent, and neither parked nor ended by anything that may have come in between. */
const surelyThere = (row: History, by: Operation): boolean =>
  row.up.some(
    (up) =>
      up.answered < by.sent &&
      [...row.parks, ...row.ends].every((down) => down.answered < up.sent || down.sent > by.answered),
  );

const surelyUndecided = (row: History, by: Operation): boolean =>
  row.claims.some(
    ({ by: claim, claimed }) =>
      claimed.undecided &&
      claim.answered < by.sent &&
      row.clears.every((clear) => clear.answered < claim.sent || clear.sent > by.answered),
  );

const surelyParked = (row: History, by: Operation): boolean =>
  row.parks.some(
    (park) =>
      park.answered < by.sent && row.up.every((up) => up.answered < park.sent || up.sent > by.answered),
  );
