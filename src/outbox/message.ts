import type { TransferOutcome } from '../ports/outbox.js';

/**
 * The body of a webhook: the same bytes at every attempt. Numbers that may be larger than 2^53 are texts. docs/outcomes.md
 * describes it; a field may be added, none changes its meaning.
 */
export const bodyOf = (outcome: TransferOutcome): string =>
  JSON.stringify({
    type: `transfer.${outcome.kind}`,
    timestamp: outcome.at.toISOString(),
    data: {
      transactionHash: outcome.txHash,
      sender: outcome.sender,
      recipient: outcome.recipient,
      token: outcome.token,
      amount: outcome.amount.toString(),
      nonce: outcome.nonce.toString(),
      position: outcome.position.toString(),
      ...detailsOf(outcome),
    },
  });

function detailsOf(outcome: TransferOutcome): object {
  switch (outcome.kind) {
    case 'completed':
      return { updateId: outcome.updateId, offset: outcome.offset?.toString() ?? null };
    case 'failed':
      return { message: outcome.message };
    case 'parked':
      return { reason: outcome.reason };
  }
}
