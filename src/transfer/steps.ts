import type { Token } from '../core/token.js';
import type { TransferFactory } from '../core/transfer.js';
import { type Park, park } from './check.js';

type RegistryFactory = Extract<TransferFactory, { kind: 'registry' }>;

/**
 * Whether the registry's kind of transfer is what TOKENS_FILE expects. An offer where the file says one step would be
 * recorded as `completed` before its receiver had anything, and a hosted sender's record would have a bound that an
 * offer does not keep; so the row parks before anything is sent. The other way round nothing is lost.
 *
 * If the registry does not say, TOKENS_FILE decides. Only an external sender's transaction is inspected for it.
 */
export function agreedFactory(
  factory: RegistryFactory,
  token: Pick<Token, 'steps' | 'symbol'>,
): { readonly kind: 'ok'; readonly factory: RegistryFactory } | Park {
  if (token.steps === 2) return { kind: 'ok', factory };
  if (factory.transferKind === 'offer') {
    return park(
      'UNEXPECTED_OFFER',
      `the registry of ${token.symbol} makes an offer, but TOKENS_FILE says one step; set "steps": 2 (and "offerIsDone": true if an offer counts as completed), restart the instances, then replay`,
    );
  }
  return { kind: 'ok', factory: { ...factory, transferKind: factory.transferKind ?? 'direct' } };
}

/** What a completed row says about a transfer that is an offer, for people. */
export const offerNote = ({ steps }: Pick<Token, 'steps'>): string | null =>
  steps === 2 ? 'OFFERED: the ledger contains an offer, which the receiver has yet to accept' : null;
