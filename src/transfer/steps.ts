// A transfer of one step moves the money; one of two steps makes an offer that its receiver has to accept.
import type { Token } from '../core/token.js';
import type { TransferFactory } from '../core/transfer.js';

/**
 * TOKENS_FILE says what a transfer of this token is, its registry what this one would be. An offer where a transfer was
 * promised is not sent: `completed` would say that money moved. Null: they agree.
 */
export function stepsDiffer(token: Token, factory: TransferFactory): string | null {
  if (factory.kind !== 'registry' || factory.transferKind !== 'offer' || token.steps === 2) return null;
  return `TWO_STEP_TOKEN: the registry of ${token.symbol} makes an offer of this transfer; set "steps": 2 in TOKENS_FILE, and "offerIsDone": true if that counts as completed`;
}

/** What a completed row says of a transfer that is an offer, for people. */
export const offerNote = (token: Token): string | null =>
  token.steps === 2 ? 'OFFERED: the ledger holds an offer, which the receiver has yet to accept' : null;
