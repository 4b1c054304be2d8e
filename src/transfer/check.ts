// What a row says by itself, before the ledger is asked. A verdict here is final only where nothing of the row is
// undecided; that is its caller's to know.
import type { Party } from '../core/ids.js';
import type { Token, Tokens } from '../core/token.js';
import type { MempoolRow, Sender } from '../protocol/record.js';
import { isAddress, isTxHash, tokenKey } from './address.js';
import { amountOf, toDecimalUnits } from './amount.js';
import { type Failure, failure } from './messages.js';

/** What only an operator can change. The row waits for a replay. */
export interface Park {
  readonly kind: 'park';
  readonly code: 'UNKNOWN_TOKEN' | 'TWO_STEP_TOKEN' | 'REGISTRY_TOKEN' | 'UNEXPECTED_OFFER';
  /** `CODE: what to do`. */
  readonly reason: string;
}

export interface CheckedRow {
  readonly kind: 'ok';
  readonly token: Token;
  /** In units of 10^-10. */
  readonly amount: bigint;
}

/** The row's own words first, since they fail for ever; then what the configuration has to say of its token. */
export function checkRow(row: MempoolRow, tokens: Tokens, issuer: string): CheckedRow | Failure | Park {
  if (!isTxHash(row.txHash)) return failure('BAD_TX_HASH', `${row.txHash} is not 32 bytes`);
  for (const address of [row.fromAddress, row.contractAddress, row.recipientAddress]) {
    if (!isAddress(address)) return failure('BAD_ADDRESS', `${JSON.stringify(address)} is no address`);
  }
  const raw = amountOf(row.amountData);
  if (raw === null) return failure('BAD_AMOUNT', `${row.amountData.length} bytes are more than a uint256`);
  // The token's factory says the same ("amount must be positive"), at the price of a call.
  if (raw === 0n) return failure('ZERO_AMOUNT', 'the ledger moves positive amounts only');

  const token = tokens.get(tokenKey(row.contractAddress));
  if (token === undefined) {
    return park(
      'UNKNOWN_TOKEN',
      `${row.contractAddress} is not in TOKENS_FILE; add it, restart the instances, then replay`,
    );
  }
  const scaled = toDecimalUnits(raw, token.decimals);
  if (scaled.kind === 'too-fine') {
    return failure('AMOUNT_TOO_FINE', `${raw} at ${token.decimals} decimals is finer than Daml's 10`);
  }
  if (scaled.kind === 'too-large') {
    return failure(
      'AMOUNT_TOO_LARGE',
      `${raw} at ${token.decimals} decimals is more than a Daml Decimal holds`,
    );
  }
  if (token.steps === 2 && !token.offerIsDone) {
    return park(
      'TWO_STEP_TOKEN',
      `a transfer of ${token.symbol} is an offer that its receiver has to accept; set "offerIsDone": true if that counts as completed, restart the instances, then replay`,
    );
  }
  // Only its registry knows the factory of a token that is not our issuer's.
  if (token.instrumentAdmin !== issuer && token.registryUrl === undefined) {
    return park(
      'REGISTRY_TOKEN',
      `the admin of ${token.symbol} is ${token.instrumentAdmin}, and CANTON_ISSUER_PARTY is ${issuer}: if they should be one, put the wrong one right; else give its "registryUrl" in TOKENS_FILE. Restart the instances, then replay`,
    );
  }
  return { kind: 'ok', token, amount: scaled.units };
}

export const park = (code: Park['code'], what: string): Park => ({
  kind: 'park',
  code,
  reason: `${code}: ${what}`,
});

export interface Parties {
  readonly kind: 'ok';
  readonly sender: Party;
  readonly receiver: Party;
}

/** No fault of the row's, and it may pass by itself: it is tried again, and parks at last. */
export interface Wait {
  readonly kind: 'wait';
  readonly code: 'UNKNOWN_SENDER';
  /** `CODE: why`. */
  readonly reason: string;
}

/**
 * An unknown sender is nothing that a row can be blamed for: the API takes only registered ones, so `users` lags, or
 * lost somebody. Whom a row is for, the API does not look at.
 */
export function checkParties(
  row: MempoolRow,
  sender: Sender,
  recipient: Party | null,
): Parties | Failure | Wait {
  switch (sender.kind) {
    case 'unknown':
      return {
        kind: 'wait',
        code: 'UNKNOWN_SENDER',
        reason: `UNKNOWN_SENDER: ${row.fromAddress} has no party in users; put it right, then replay if it is parked`,
      };
    case 'keyless':
      return failure('NO_SIGNING_KEY', `${row.fromAddress} is external and its key is not here`);
    case 'hosted':
    case 'external': {
      if (recipient === null)
        return failure('UNKNOWN_RECIPIENT', `${row.recipientAddress} has no party in users`);
      return { kind: 'ok', sender: sender.party, receiver: recipient };
    }
  }
}
