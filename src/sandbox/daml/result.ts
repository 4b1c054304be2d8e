// What TransferFactory_Transfer returns, told from what it created.
import { isHolding, isOffer, type Payload } from './contracts.js';

export interface Created {
  readonly contractId: string;
  readonly payload: Payload;
}

export type TransferResult =
  | { readonly kind: 'completed'; readonly receiver: readonly string[]; readonly change: readonly string[] }
  | { readonly kind: 'pending'; readonly instruction: string; readonly change: readonly string[] };

/** The receiver's holding comes first, or what is locked for an offer; then the sender's change where there is one. */
export function resultOf(created: readonly Created[]): TransferResult {
  const holdings = created.filter(({ payload }) => isHolding(payload)).map(({ contractId }) => contractId);
  const change = holdings.slice(1, 2);
  const offer = created.find(({ payload }) => isOffer(payload));
  return offer
    ? { kind: 'pending', instruction: offer.contractId, change }
    : { kind: 'completed', receiver: holdings.slice(0, 1), change };
}
