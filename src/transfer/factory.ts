import type { Offset } from '../core/ids.js';
import type { Transfer } from '../core/transfer.js';
import type { CallOptions, Ledger, Read } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';

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
const FORGET = new Set([
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
      if (outcome.kind !== 'refused' || !FORGET.has(outcome.refusal.errorId)) return;
      if (known.get(admin) === factory.contractId) known.delete(admin);
    },
  };
}

const refused = (errorId: string, detail: string): Read<never> => ({
  kind: 'failed-read',
  refusal: { kind: 'not-the-row', blame: 'token', errorId, detail, retryAfterMs: null },
  pruned: false,
});
