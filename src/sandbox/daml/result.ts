// The result of TransferFactory_Transfer, derived from what it created.
import { isHolding, isOffer, type Payload } from './contracts.js';

export interface Created {
  readonly contractId: string;
  readonly payload: Payload;
}

export type TransferResult =
  | { readonly kind: 'completed'; readonly receiver: readonly string[]; readonly change: readonly string[] }
  | { readonly kind: 'pending'; readonly instruction: string; readonly change: readonly string[] }
  | { readonly kind: 'failed'; readonly change: readonly string[] };

/** First the receiver's holding, or what is locked for an offer; then the sender's change, if any. */
export function resultOf(created: readonly Created[]): TransferResult {
  const holdings = created.filter(({ payload }) => isHolding(payload)).map(({ contractId }) => contractId);
  const change = holdings.slice(1, 2);
  const offer = created.find(({ payload }) => isOffer(payload));
  if (offer) return { kind: 'pending', instruction: offer.contractId, change };
  if (holdings.length === 0) return { kind: 'failed', change };
  return { kind: 'completed', receiver: holdings.slice(0, 1), change };
}
