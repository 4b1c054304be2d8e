import type { ClaimToken, DbMillis, Offset, Party, RowId, TxHash } from '../core/ids.js';
import type { SealedKey } from '../core/sealed-key.js';

/** What the API accepted: one ERC-20 `transfer`. Any part of it may be malformed. */
export interface MempoolRow {
  readonly id: RowId;
  readonly txHash: TxHash;
  readonly fromAddress: string;
  readonly contractAddress: string;
  readonly recipientAddress: string;
  readonly nonce: bigint;
  /** Big-endian bytes of the amount in the token's smallest unit; empty means 0. */
  readonly amountData: Uint8Array;
  readonly createdAt: DbMillis;
}

/** Who may submit for the sender, from the `users` row that came with the claim. */
export type Sender =
  /** No key stored and not `key_mode = 'external'`: the participant acts for the party. */
  | { readonly kind: 'hosted'; readonly party: Party }
  /** A key is stored: prepare, sign, execute. */
  | { readonly kind: 'external'; readonly party: Party; readonly key: SealedKey }
  /** `key_mode = 'external'` and no key: nobody here can sign. */
  | { readonly kind: 'keyless'; readonly party: Party }
  /** No `users` row, or one without a party. */
  | { readonly kind: 'unknown' };

/**
 * The record of what may be on its way to the ledger (I4). It is durable before the request leaves, and kept until the
 * submission is known to be accepted or dead; `sent_until is not null` means undecided.
 */
export interface SubmissionRecord {
  /** A ledger end known before the submission left: its completion lies after this offset. */
  readonly sentFrom: Offset;
  /** The latest record time at which the ledger accepts it; `null` is `'infinity'`: never known to be dead. */
  readonly sentUntil: DbMillis | null;
  /** `null` in an unknown record: for a submission that we did not make or no longer remember. */
  readonly submissionId: string | null;
  readonly party: Party;
  /** The number of the pinned participant that it was sent on; other pins may change without it. */
  readonly sentOn: number;
  /** What was signed (external parties), or null. */
  readonly hash: SubmissionHash | null;
}

export interface SubmissionHash {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** `HashingSchemeVersion` on the wire. */
  readonly scheme: number;
}

interface Claimed {
  readonly row: MempoolRow;
  readonly token: ClaimToken;
  readonly sender: Sender;
  /** The recipient's party, or null where no `users` row has the address. */
  readonly recipient: Party | null;
  /** Attempts begun, this one included where the claim counted it. */
  readonly attempts: number;
  /** The pinned generation that it was claimed under: conclusions from bounds are valid only under this one. */
  readonly generation: bigint;
}

/** The row has no undecided submission: it may be judged and sent. */
export interface FreshClaim extends Claimed {
  readonly kind: 'fresh';
  /** Written by this same claim (hosted senders), or null: then a write-ahead has to come before the send. */
  readonly own: SubmissionRecord | null;
  /** Another row of this sender waits with the same nonce: both may be paid (SAME_NONCE). */
  readonly nonceShared: boolean;
}

/** An earlier submission may still commit: look, and nothing else (rule 4). */
export interface UndecidedClaim extends Claimed {
  readonly kind: 'undecided';
  readonly record: SubmissionRecord;
  /** The previous submitter's ledger user, who may have sent it; its completions are shown to that user alone. */
  readonly sentBy: string | null;
}

export type ClaimedRow = FreshClaim | UndecidedClaim;
