// From a tuple to a claimed row. The only place that mints a ClaimToken. A row is never refused here for what an API
// wrote into it: whoever judges it does so with the claim in hand.
import { type ClaimToken, dbMillis, party, type RowId, txHashOf } from '../core/ids.js';
import { SealedKey } from '../core/sealed-key.js';
import type { ClaimedRow, Sender, SubmissionRecord } from '../protocol/record.js';
import type { ClaimTuple } from './statements.js';

export function claimedRow(tuple: ClaimTuple, generation: bigint): ClaimedRow {
  const record = recordOf(tuple);
  const claimed = {
    row: {
      id: tuple.id as RowId,
      txHash: txHashOf(tuple.tx_hash),
      fromAddress: tuple.from_address,
      contractAddress: tuple.contract_address,
      recipientAddress: tuple.recipient_address,
      nonce: BigInt(tuple.nonce),
      amountData: new Uint8Array(tuple.amount_data),
      createdAt: dbMillis(tuple.created_at),
    },
    token: tuple.claim_token as ClaimToken,
    sender: senderOf(tuple),
    recipient: tuple.recipient_party === null ? null : party(tuple.recipient_party),
    attempts: tuple.attempts,
    generation,
  };
  // A claim of fresh rows writes its own submission id, the token; anything else was there before it.
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
