// Tallies a demo run, purely from the ledger's own log and the final rows, never from what submitters say.
import { DECIMAL_PLACES } from '../../core/decimal.js';
import type { Token } from '../../core/token.js';
import { toDecimalUnits } from '../../transfer/amount.js';
import type { AuditLine } from '../support/sandbox-at.js';
import type { Ended } from './database.js';
import type { DemoRow } from './scenario.js';

export interface Evidence {
  readonly rows: readonly DemoRow[];
  readonly instances: number;
  /** Every row of the table, at the end. */
  readonly ended: readonly Ended[];
  readonly audit: readonly AuditLine[];
  readonly ledgerCalls: number;
  readonly doubleCommits: number;
  readonly claimStatements: number;
  /**
   * When each insert's commit returned, by hash, in ms since the epoch, for rows that arrived while submitters ran.
   */
  readonly committedAt: ReadonlyMap<string, number>;
  /** What parties have on the ledger and what they should have according to the rows, where these differ. */
  readonly oddBalances: readonly string[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Summary {
  readonly rows: number;
  readonly completed: number;
  readonly failed: number;
  readonly pending: number;
  readonly parked: number;
  readonly ledgerCalls: number;
  readonly callsPerRow: number;
  readonly doubleCommits: number;
  readonly instances: number;
  readonly insertToCallMs: Percentiles;
  readonly insertToDoneMs: Percentiles;
  readonly claimStatements: number;
  readonly perInstance: readonly { readonly instance: string; readonly rows: number }[];
}

export function summarize(evidence: Evidence): Summary {
  const { rows, ended, audit, committedAt, ledgerCalls } = evidence;
  const count = (status: string, parked = false): number =>
    ended.filter((row) => row.status === status && row.parked === parked).length;
  const arrivedAt = new Map<string, number>();
  for (const { commandId, at } of audit) if (!arrivedAt.has(commandId)) arrivedAt.set(commandId, at);
  const since = (times: ReadonlyMap<string, number>): number[] =>
    [...committedAt].flatMap(([hash, from]) => {
      const at = times.get(hash);
      // A call may arrive before this process learns that its insert has committed.
      return at === undefined ? [] : [Math.max(0, at - from)];
    });
  const perInstance = new Map<string, number>();
  for (const { holder, status } of ended) {
    const instance = (holder ?? '').split('/')[0] ?? '';
    if (status === 'completed' || status === 'failed')
      perInstance.set(instance, (perInstance.get(instance) ?? 0) + 1);
  }
  return {
    rows: rows.length,
    completed: count('completed'),
    failed: count('failed'),
    pending: count('pending'),
    parked: count('pending', true),
    ledgerCalls,
    callsPerRow: round(ledgerCalls / rows.length, 4),
    doubleCommits: evidence.doubleCommits,
    instances: evidence.instances,
    insertToCallMs: percentiles(since(arrivedAt)),
    insertToDoneMs: percentiles(since(new Map(ended.map(({ hash, endedAt }) => [hash, endedAt])))),
    claimStatements: evidence.claimStatements,
    perInstance: [...perInstance]
      .map(([instance, rows]) => ({ instance, rows }))
      .sort((a, b) => (a.instance < b.instance ? -1 : 1)),
  };
}

/** The promises that were broken; with none, the exit code is 0. */
export function brokenGuarantees(evidence: Evidence, summary: Summary): string[] {
  const broken: string[] = [];
  const { rows, doubleCommits, pending, parked, failed, callsPerRow, ledgerCalls } = summary;
  if (doubleCommits > 0) broken.push(`${doubleCommits} double commits: money was moved twice`);
  if (pending + parked > 0) broken.push(`${pending + parked} rows are unfinished (${parked} of them parked)`);
  if (failed > 0) broken.push(`${failed} rows failed, although every transfer of the demo is valid`);
  if (callsPerRow !== 1)
    broken.push(
      `${ledgerCalls} ledger calls for ${rows} rows, although nothing went wrong; each call costs a fee`,
    );
  const accepted = new Set(
    evidence.audit.filter(({ outcome }) => outcome.kind === 'accepted').map((one) => one.commandId),
  );
  for (const { hash, status } of evidence.ended) {
    if ((status === 'completed') !== accepted.has(hash)) {
      broken.push(`${hash} is ${status}, but was ${accepted.has(hash) ? '' : 'not '}accepted by the ledger`);
    }
  }
  return [...broken, ...evidence.oddBalances];
}

/** Per user and token, in units of 10^-10: what each was given, minus what it sent, plus what it was sent. */
export function balancesByRows(
  users: number,
  tokens: readonly Token[],
  done: readonly DemoRow[],
  granted: bigint,
): readonly ReadonlyMap<string, bigint>[] {
  const start = granted * 10n ** BigInt(DECIMAL_PLACES);
  const balances = Array.from({ length: users }, () => new Map(tokens.map(({ symbol }) => [symbol, start])));
  for (const { from, to, token, amount } of done) {
    const scaled = toDecimalUnits(amount, token.decimals);
    if (scaled.kind !== 'units')
      throw new Error(`${amount} of ${token.symbol} is not an amount that the ledger can hold`);
    for (const [user, change] of [
      [from, -scaled.units],
      [to, scaled.units],
    ] as const) {
      const mine = balances[user];
      mine?.set(token.symbol, (mine.get(token.symbol) ?? 0n) + change);
    }
  }
  return balances;
}

/** Nearest rank; 0 if nothing was measured. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0, 1);
  return { p50: at(0.5), p99: at(0.99) };
}

const round = (value: number, places: number): number => Number(value.toFixed(places));
