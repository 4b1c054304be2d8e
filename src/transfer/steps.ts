import type { Token } from '../core/token.js';
import type { TransferFactory } from '../core/transfer.js';
import { type Park, park } from './check.js';

type RegistryFactory = Extract<TransferFactory, { kind: 'registry' }>;

/**
 * Whether a registry's way to transfer is the one that TOKENS_FILE counts on. An offer where the file says one step
 * would be written down as `completed` before its receiver had anything, and a hosted sender's record would have a
 * bound that an offer does not keep: so it parks before anything is sent. The other way round nothing is lost.
 *
 * Where the registry does not say, the file's word stands. Only an external sender's transaction is inspected for it.
 */
export function agreedFactory(
  factory: RegistryFactory,
  token: Pick<Token, 'steps' | 'symbol'>,
): { readonly kind: 'ok'; readonly factory: RegistryFactory } | Park {
  if (token.steps === 2) return { kind: 'ok', factory };
  if (factory.transferKind === 'offer') {
    return park(
      'UNEXPECTED_OFFER',
      `the registry of ${token.symbol} makes an offer, and TOKENS_FILE says one step; set "steps": 2 (and "offerIsDone": true if an offer counts as completed), restart the instances, then replay`,
    );
  }
  return { kind: 'ok', factory: { ...factory, transferKind: factory.transferKind ?? 'direct' } };
}

/** What a completed row says of a transfer that is an offer, for people. */
export const offerNote = ({ steps }: Pick<Token, 'steps'>): string | null =>
  steps === 2 ? 'OFFERED: the ledger holds an offer, which the receiver has yet to accept' : null;
