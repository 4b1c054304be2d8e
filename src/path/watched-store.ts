import { StoreUnavailable } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { SubmitterEvent } from '../observe/events.js';

/** The same store, which tells once when the database goes away and once when it is back. */
export function watchedStore(store: Store, emit: (event: SubmitterEvent) => void): Store {
  let lost = false;
  const watch = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      const result = await call();
      if (lost) emit({ kind: 'database', state: 'back', detail: '' });
      lost = false;
      return result;
    } catch (error) {
      if (error instanceof StoreUnavailable && !lost) {
        lost = true;
        emit({ kind: 'database', state: 'lost', detail: error.message });
      }
      throw error;
    }
  };
  return {
    claim: (request) => watch(() => store.claim(request)),
    claimUndecided: (request) => watch(() => store.claimUndecided(request)),
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
