// Events as the path emits them, for the tests of what subscribes to them.
import { dbMillis, type RowId, type TxHash } from '../../src/core/ids.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import type { Outcome } from '../../src/protocol/outcome.js';
import type { SettleResult } from '../../src/protocol/settlement.js';
import type { Verdict } from '../../src/protocol/verdict.js';

const ofRow = (row: number) => ({
  id: String(row) as RowId,
  txHash: `0x${row.toString(16).padStart(64, '0')}` as TxHash,
});

export const taken = (
  row: number,
  more: { look?: boolean; attempts?: number; waitedMs?: number } = {},
): SubmitterEvent => ({
  kind: 'taken',
  ...ofRow(row),
  attempts: 1,
  waitedMs: 3,
  look: false,
  sender: '0xA',
  nonceShared: false,
  at: dbMillis(0),
  ...more,
});

export const claimed = (rows: number, by: 'bell' | 'poll' = 'bell', look = false): SubmitterEvent => ({
  kind: 'claimed',
  rows,
  asked: 4,
  by,
  tookMs: 2,
  look,
});

export const answered = (row: number, outcome: Outcome): SubmitterEvent => ({
  kind: 'answered',
  ...ofRow(row),
  outcome,
  tookMs: 7_000,
});

export const settled = (row: number, verdict: Verdict, result: SettleResult = 'settled'): SubmitterEvent => ({
  kind: 'settled',
  ...ofRow(row),
  verdict,
  result,
  tookMs: 2,
});

export const refused = (errorId: string, kind: 'for-good' | 'try-again' = 'try-again'): Outcome => ({
  kind: 'refused',
  refusal: { kind, blame: 'all', errorId, detail: 'said', retryAfterMs: null },
});

export const accepted: Outcome = { kind: 'accepted', updateId: 'u1', offset: 2n ** 60n };
export const completed: Verdict = { kind: 'completed', updateId: 'u1', offset: 2n ** 60n, note: null };
export const failed: Verdict = { kind: 'failed', message: 'insufficient balance', detail: 'X: y' };
export const pending = (more: Partial<Extract<Verdict, { kind: 'pending' }>> = {}): Verdict => ({
  kind: 'pending',
  record: 'clear',
  wait: 500,
  attempts: 0,
  lastError: 'BUSY: later',
  ...more,
});

export const parked = (row: number, reason: string): SubmitterEvent => ({
  kind: 'parked',
  ...ofRow(row),
  reason,
});
export const fenced = (row: number, during: 'settle' | 'renew' | 'write-ahead'): SubmitterEvent => ({
  kind: 'fenced',
  ...ofRow(row),
  during,
});
export const hashOf = (row: number): TxHash => ofRow(row).txHash;
