// From tuples to rows, for claims, lists and commands alike. Claim tokens are made into `ClaimToken` here and nowhere else. A
// row is never refused here for what an API wrote into it: that is judged with the claim in hand.
import { type ClaimToken, dbMillis, party, type RowId, type TxHash, txHashOf } from '../core/ids.js';
import { SealedKey } from '../core/sealed-key.js';
import type { ClaimedRow, MempoolRow, Sender, SubmissionRecord } from '../protocol/record.js';
import type { ClaimTuple, RowTuple } from './statements.js';

/**
 * SQL: what somebody else wrote into a timestamp, within what dates and the ledger's timestamps hold. Postgres takes
 * `infinity` and years before 1 as well, and refuses to subtract an infinite one: one row of that kind would fail a whole list.
 */
export const finite = (column: string): string =>
  `case when ${column} is not null then greatest(least(${column}, '9999-12-31Z'), '0001-01-01Z') end`;

/** SQL, of alias `m`: the pinned participant can tell what became of it. What was sent on another one, a person has to end. */
export const LOOKABLE = `(m.sent_until is null or m.sent_on = (select p.sent_on from mempool_submitter_v1 p))`;

/** SQL, of alias `m`: sent on a participant that is no longer pinned. */
export const ELSEWHERE = `not coalesce(${LOOKABLE}, false)`;

/** SQL, of alias `m`: the API's columns of a row. */
export const ROW = `m.id, m.tx_hash, m.from_address, m.contract_address, m.recipient_address, m.nonce, m.amount_data,
      (extract(epoch from ${finite('m.created_at')}) * 1000)::float8 as created_at`;

export const rowOf = (tuple: RowTuple): MempoolRow => ({
  id: tuple.id as RowId,
  txHash: txHashOf(tuple.tx_hash),
  fromAddress: tuple.from_address,
  contractAddress: tuple.contract_address,
  recipientAddress: tuple.recipient_address,
  nonce: BigInt(tuple.nonce),
  amountData: new Uint8Array(tuple.amount_data),
  createdAt: dbMillis(tuple.created_at),
});

export interface ListedTuple {
  readonly tx_hash: string;
  readonly from_address: string;
  readonly nonce: string;
  readonly attempts: number;
  readonly undecided: boolean;
}

/** A row as lists show it. */
export interface ListedRow {
  readonly txHash: TxHash;
  readonly sender: string;
  readonly nonce: bigint;
  readonly attempts: number;
  /** A submission of it may still commit. */
  readonly undecided: boolean;
}

/** SQL, of alias `m`. */
export const LISTED = `'0x' || encode(m.tx_hash, 'hex') as tx_hash, m.from_address, m.nonce, m.attempts,
    m.sent_until is not null as undecided`;

export const listedRow = (tuple: ListedTuple): ListedRow => ({
  txHash: tuple.tx_hash as TxHash,
  sender: tuple.from_address,
  nonce: BigInt(tuple.nonce),
  attempts: tuple.attempts,
  undecided: tuple.undecided,
});

export function claimedRow(tuple: ClaimTuple, generation: bigint): ClaimedRow {
  const record = recordOf(tuple);
  const claimed = {
    row: rowOf(tuple),
    token: tuple.claim_token as ClaimToken,
    sender: senderOf(tuple),
    recipient: tuple.recipient_party === null ? null : party(tuple.recipient_party),
    attempts: tuple.attempts,
    generation,
  };
  // The claim of a fresh row writes its own token as submission id; any other record was there before it.
  if (record === null || record.submissionId === tuple.claim_token) {
    return { kind: 'fresh', ...claimed, own: record, nonceShared: tuple.nonce_shared };
  }
  return { kind: 'undecided', ...claimed, record, sentBy: tuple.sent_by };
}

function recordOf(tuple: ClaimTuple): SubmissionRecord | null {
  if (tuple.sent_until === null || tuple.sent_from === null || tuple.submission_party === null) return null;
  return {
    sentFrom: BigInt(tuple.sent_from),
    sentUntil: Number.isFinite(tuple.sent_until) ? dbMillis(tuple.sent_until) : null,
    submissionId: tuple.submission_id,
    party: party(tuple.submission_party),
    sentOn: tuple.sent_on ?? 0,
    hash:
      tuple.submission_hash === null || tuple.hashing_scheme === null
        ? null
        : { bytes: new Uint8Array(tuple.submission_hash), scheme: tuple.hashing_scheme },
  };
}

function senderOf({ sender_kind: kind, sender_party: text, sender_key: key }: ClaimTuple): Sender {
  if (kind === 'unknown' || text === null) return { kind: 'unknown' };
  if (kind === 'hosted') return { kind, party: party(text) };
  return kind === 'external' && key !== null
    ? { kind, party: party(text), key: new SealedKey(key) }
    : { kind: 'keyless', party: party(text) };
}
