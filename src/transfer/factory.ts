import type { Offset } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { Transfer, TransferFactory } from '../core/transfer.js';
import type { CallOptions, Ledger, Read } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';
import { type Park, toPark } from './check.js';

export interface FactoryCache {
  /**
   * The admin's only factory. None or several is a refusal like one of the ledger's: the choice must not be left to
   * chance, and an operator resolves it for every row of the token.
   */
  get(admin: string, at: Offset, options: CallOptions): Promise<Read<string>>;
  /**
   * Reports what became of a submission through it: after some refusals the factory may be another contract than
   * before.
   */
  observe(transfer: Pick<Transfer, 'admin' | 'factory'>, outcome: Outcome): void;
}

/** Errors about a contract that is gone or of another kind, which may have been the factory. */
const MEANS_ANOTHER_FACTORY = new Set([
  'CONTRACT_NOT_FOUND',
  'CONTRACT_NOT_ACTIVE',
  'LOCAL_VERDICT_INACTIVE_CONTRACTS',
  'UNKNOWN_CONTRACT_SYNCHRONIZER',
  'UNKNOWN_CONTRACT_SYNCHRONIZERS',
  'CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE',
  'WRONGLY_TYPED_CONTRACT',
]);

/**
 * Read once: a factory hardly ever changes, and reading it costs every transfer milliseconds. Concurrent callers
 * share one read, which no single caller can abort. Only a successful read is remembered.
 */
export function createFactoryCache(ledger: Pick<Ledger, 'transferFactories'>): FactoryCache {
  const known = new Map<string, string>();
  const asking = new Map<string, Promise<Read<string>>>();

  const read = async (admin: string, at: Offset, timeoutMs: number): Promise<Read<string>> => {
    try {
      const found = await ledger.transferFactories(admin, at, { timeoutMs });
      if (found.kind === 'failed-read') return found;
      const [id, ...others] = found.value;
      if (id === undefined) return refused('NO_TRANSFER_FACTORY', `${admin} has no transfer factory`);
      if (others.length > 0) {
        return refused(
          'SEVERAL_TRANSFER_FACTORIES',
          `${admin} has several, archive all but one: ${found.value.join(', ')}`,
        );
      }
      known.set(admin, id);
      return { kind: 'read', value: id };
    } finally {
      asking.delete(admin);
    }
  };

  return {
    async get(admin, at, options) {
      const id = known.get(admin);
      if (id !== undefined) return { kind: 'read', value: id };
      const shared = asking.get(admin) ?? read(admin, at, options.timeoutMs);
      asking.set(admin, shared);
      return shared;
    },
    observe({ admin, factory }, outcome) {
      if (outcome.kind !== 'refused' || !MEANS_ANOTHER_FACTORY.has(outcome.refusal.errorId)) return;
      if (known.get(admin) === factory.contractId) known.delete(admin);
    },
  };
}

const refused = (errorId: string, detail: string): Read<never> => ({
  kind: 'failed-read',
  refusal: { kind: 'not-the-row', blame: 'token', errorId, detail, retryAfterMs: null },
  pruned: false,
});

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
    return toPark(
      'UNEXPECTED_OFFER',
      `the registry of ${token.symbol} makes an offer, but TOKENS_FILE says one step; set "steps": 2 (and "offerIsDone": true if an offer counts as completed), restart the instances, then replay`,
    );
  }
  return { kind: 'ok', factory: { ...factory, transferKind: factory.transferKind ?? 'direct' } };
}

/** What a completed row says about a transfer that is an offer, for people. */
export const offerNote = ({ steps }: Pick<Token, 'steps'>): string | null =>
  steps === 2 ? 'OFFERED: the ledger contains an offer, which the receiver has yet to accept' : null;
