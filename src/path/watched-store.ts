import { StoreUnavailable } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { SubmitterEvent } from '../observe/events.js';

/** The same store, which tells once when the database goes away, or refuses every claim, and once when it is back. */
export function watchedStore(store: Store, emit: (event: SubmitterEvent) => void): Store {
  let away = false;
  /** Claims that the database refuses, whatever the reason: none of their values is a row's. */
  const refused = new Set<string>();
  const tell = (change: () => void, detail: string): void => {
    const before = away || refused.size > 0;
    change();
    const lost = away || refused.size > 0;
    if (lost !== before) emit({ kind: 'database', state: lost ? 'lost' : 'back', detail });
  };
  const watch = async <T>(call: () => Promise<T>, claims: string | null = null): Promise<T> => {
    try {
      const result = await call();
      tell(() => {
        away = false;
        if (claims !== null) refused.delete(claims);
      }, '');
      return result;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof StoreUnavailable) tell(() => (away = true), reason);
      else if (claims !== null) tell(() => refused.add(claims), `it refuses every claim: ${reason}`);
      throw error;
    }
  };
  return {
    claim: (request) => watch(() => store.claim(request), 'fresh'),
    claimUndecided: (request) => watch(() => store.claimUndecided(request), 'undecided'),
    writeAhead: (claim, record, generation) => watch(() => store.writeAhead(claim, record, generation)),
    renew: (tokens, leaseMs) => watch(() => store.renew(tokens, leaseMs)),
    rescue: () => watch(() => store.rescue()),
    settle: (batch) => watch(() => store.settle(batch)),
    pinned: () => watch(() => store.pinned()),
    pinParticipant: (generation, participant) => watch(() => store.pinParticipant(generation, participant)),
    advanceMarks: (marks) => watch(() => store.advanceMarks(marks)),
    recheck: (request) => watch(() => store.recheck(request)),
    halt: (reason) => watch(() => store.halt(reason)),
    ring: (kind) => watch(() => store.ring(kind)),
  };
}
