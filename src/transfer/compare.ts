import type { Party } from '../core/ids.js';
import type { Tokens } from '../core/token.js';
import type { TransferEffect } from '../ports/ledger.js';
import type { MempoolRow } from '../protocol/record.js';
import { checkRow } from './check.js';

export interface Compared {
  readonly row: MempoolRow;
  /** The party it was sent for, according to the record. */
  readonly sender: Party;
  /** Null: not known. */
  readonly receiver: Party | null;
}

/** Compares what an update did with what the row asks for. Null: it is this row's transfer. */
export function differs(
  { row, sender, receiver }: Compared,
  effect: TransferEffect,
  tokens: Tokens,
  issuer: string,
): string | null {
  const checked = checkRow(row, tokens, issuer);
  if (checked.kind !== 'ok') {
    return `the row itself cannot be compared: ${checked.kind === 'park' ? checked.reason : checked.detail}`;
  }
  const { token, amount } = checked;
  const wanted: ReadonlyArray<readonly [string, unknown, unknown]> = [
    // Only the submitter sees its command id. A different one means another row's transfer, whatever it moves.
    ['command id', effect.commandId === '' ? row.txHash : effect.commandId, row.txHash],
    ['sender', effect.sender, sender],
    ['receiver', effect.receiver, receiver],
    ['instrument admin', effect.admin, token.instrumentAdmin],
    ['instrument', effect.instrumentId, token.instrumentId],
    ['amount (10^-10)', effect.amount, amount],
  ];
  const odd = wanted.find(([, is, should]) => is !== should);
  return odd === undefined ? null : `its ${odd[0]} is ${odd[1]}, the row's ${odd[2] ?? 'unknown'}`;
}
