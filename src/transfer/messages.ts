// What a wallet's user reads about a transfer that failed: short, stable, and free of internals. The details go to
// logs and `last_error`.

/**
 * The short list of what may fail a row; docs/guarantees.md explains why nothing could make such a row pass later.
 */
const texts = {
  // Faults in the row's own fields, found before anything is sent.
  BAD_TX_HASH: 'The transaction hash is invalid.',
  BAD_ADDRESS: 'An address of this transfer is invalid.',
  BAD_AMOUNT: 'The amount is invalid.',
  ZERO_AMOUNT: 'The amount must be greater than zero.',
  AMOUNT_TOO_FINE: 'The amount has more decimal places than this token supports on the ledger (10).',
  AMOUNT_TOO_LARGE: 'The amount is too large.',
  UNKNOWN_RECIPIENT: 'The recipient is not registered.',
  NO_SIGNING_KEY: 'This account signs its own transfers; send this one with its own key.',
  INSUFFICIENT_BALANCE: 'Insufficient balance.',
  // A Daml rule's refusal, by the ledger's error id.
  DAML_FAILURE: 'The rules of this token do not allow the transfer.',
  UNHANDLED_EXCEPTION: 'The rules of this token do not allow the transfer.',
  INTERPRETATION_USER_ERROR: 'The rules of this token do not allow the transfer.',
} as const;

export type FailureCode = keyof typeof texts;

const OTHER = 'The ledger does not accept this transfer.';

export const failureCodes = Object.keys(texts) as readonly FailureCode[];

/** For the codes above and for any error id of the ledger. */
export const walletMessage = (errorId: string): string =>
  Object.hasOwn(texts, errorId) ? texts[errorId as FailureCode] : OTHER;

/** A transfer that can never be made: `failed`. */
export interface Failure {
  readonly kind: 'failed';
  readonly code: FailureCode;
  readonly message: string;
  /** For people who run this: `CODE: detail`. */
  readonly detail: string;
}

export const failure = (code: FailureCode, detail: string): Failure => ({
  kind: 'failed',
  code,
  message: walletMessage(code),
  detail: `${code}: ${detail}`,
});

// Exported by name for code that judges a balance outside this folder.
export const INSUFFICIENT_BALANCE = texts.INSUFFICIENT_BALANCE;
