// Judges a row by itself, before the ledger is asked, and says what its transfer asks for. The verdict is final only if
// nothing of the row is undecided, which is for the caller to know.
import { type DbMillis, type Micros, microsOf, type Party } from '../core/ids.js';
import type { Token, Tokens } from '../core/token.js';
import type { TransferTerms } from '../core/transfer.js';
import type { MempoolRow, Sender } from '../protocol/record.js';
import { isAddress, isTxHash, tokenKey } from './address.js';
import { amountOf, toDecimalUnits } from './amount.js';
import { type Failure, failure } from './messages.js';

/** Only an operator can change this. The row waits for a replay. */
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

/** First the row's own fields, since a fault there is final; then what the configuration says about its token. */
export function checkRow(row: MempoolRow, tokens: Tokens, issuer: string): CheckedRow | Failure | Park {
  if (!isTxHash(row.txHash)) return failure('BAD_TX_HASH', `${row.txHash} is not 32 bytes`);
  for (const address of [row.fromAddress, row.contractAddress, row.recipientAddress]) {
    if (!isAddress(address)) return failure('BAD_ADDRESS', `${JSON.stringify(address)} is not an address`);
  }
  const raw = amountOf(row.amountData);
  if (raw === null) return failure('BAD_AMOUNT', `${row.amountData.length} bytes are more than a uint256`);
  // The token's factory says the same ("amount must be positive"), at the cost of a call.
  if (raw === 0n) return failure('ZERO_AMOUNT', 'the ledger moves positive amounts only');

  const token = tokens.get(tokenKey(row.contractAddress));
  if (token === undefined) {
    return toPark(
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
    return toPark(
      'TWO_STEP_TOKEN',
      `a transfer of ${token.symbol} is an offer that its receiver has to accept; set "offerIsDone": true if that counts as completed, restart the instances, then replay`,
    );
  }
  // If a token is not our issuer's, only its registry knows the factory.
  if (token.instrumentAdmin !== issuer && token.registryUrl === undefined) {
    return toPark(
      'REGISTRY_TOKEN',
      `the admin of ${token.symbol} is ${token.instrumentAdmin}, and CANTON_ISSUER_PARTY is ${issuer}: if they should be the same, correct the wrong one; otherwise add the token's "registryUrl" to TOKENS_FILE. Restart the instances, then replay`,
    );
  }
  return { kind: 'ok', token, amount: scaled.units };
}

export const toPark = (code: Park['code'], what: string): Park => ({
  kind: 'park',
  code,
  reason: `${code}: ${what}`,
});

export interface Parties {
  readonly kind: 'ok';
  readonly sender: Party;
  readonly receiver: Party;
}

/** Not the row's fault, and it may pass by itself: the row is retried, and parks in the end. */
export interface Wait {
  readonly kind: 'wait';
  readonly code: 'UNKNOWN_SENDER';
  /** `CODE: why`. */
  readonly reason: string;
}

/**
 * An unknown sender is not the row's fault: the API only accepts registered senders, so `users` lags behind or has
 * lost one. The API does not check the recipient.
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
        reason: `UNKNOWN_SENDER: ${row.fromAddress} has no party in users; register it, then replay the row if it is parked`,
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

export interface TermsParts {
  readonly row: Pick<MempoolRow, 'createdAt'>;
  readonly checked: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
  /** Contract ids of the holdings to spend. */
  readonly inputs: readonly string[];
  /** The database's time: a wrong clock on this machine does not matter. */
  readonly now: DbMillis;
  /** A bound, computed by protocol/bound.ts. */
  readonly executeBefore: Micros;
}

export const transferTerms = (parts: TermsParts): TransferTerms => ({
  sender: parts.sender,
  receiver: parts.receiver,
  admin: parts.checked.token.instrumentAdmin,
  instrumentId: parts.checked.token.instrumentId,
  amount: parts.checked.amount,
  holdings: parts.inputs,
  requestedAt: requestedAt(parts.row.createdAt, parts.now),
  executeBefore: parts.executeBefore,
});

/** The ledger wants `requestedAt` in its past; the database's clock may be this far ahead of the ledger's. */
const REQUESTED_BEFORE_MS = 5_000;

/** `now`: the time that came with the claim, plus what has elapsed since it was asked for. */
export const requestedAt = (createdAt: DbMillis, now: DbMillis): Micros =>
  microsOf(Math.floor(Math.min(createdAt, now - REQUESTED_BEFORE_MS)));
