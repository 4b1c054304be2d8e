import { StoreUnavailable } from '../core/errors.js';
import type { Store } from '../ports/store.js';
import type { SubmitterEvent } from './events.js';

/** The same store, with an event when the database goes away or refuses every claim, and another when it is back. */
export function watchedStore(store: Store, emit: (event: SubmitterEvent) => void): Store {
  let away: string | null = null;
  /** Kinds of claim that the database refuses, with the reason. None of a claim's values comes from a row. */
  const refused = new Map<string, string>();
  let told: 'away' | 'refused' | null = null;
  const tell = (): void => {
    const [reason] = refused.values();
    const now = away !== null ? 'away' : reason !== undefined ? 'refused' : null;
    if (now === told) return;
    told = now;
    if (now === null) emit({ kind: 'database', state: 'back', detail: '' });
    else emit({ kind: 'database', state: 'lost', detail: away ?? `it refuses every claim: ${reason}` });
  };
  const watch = async <T>(call: () => Promise<T>, claims: string | null = null): Promise<T> => {
    try {
      const result = await call();
      away = null;
      if (claims !== null) refused.delete(claims);
      return result;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      away = error instanceof StoreUnavailable ? reason : null;
      if (claims !== null && away === null) refused.set(claims, reason);
      throw error;
    } finally {
      tell();
    }
  };
  return {
    claim: (request) => watch(() => store.claim(request), 'fresh'),
    claimUndecided: (request) => watch(() => store.claimUndecided(request), 'undecided'),
    writeAhead: (claim, record, generation) => watch(() => store.writeAhead(claim, record, generation)),
    reserved: (party) => watch(() => store.reserved(party)),
    reserve: (claim, record, inputs, generation) =>
      watch(() => store.reserve(claim, record, inputs, generation)),
    awaitRows: (claim, on, mostMs) => watch(() => store.awaitRows(claim, on, mostMs)),
    renew: (tokens, leaseMs) => watch(() => store.renew(tokens, leaseMs)),
    rescue: () => watch(() => store.rescue()),
    settle: (batch) => watch(() => store.settle(batch)),
    pinned: () => watch(() => store.pinned()),
    missing: (pins) => watch(() => store.missing(pins)),
    pinParticipant: (generation, participant) => watch(() => store.pinParticipant(generation, participant)),
    advanceMarks: (marks) => watch(() => store.advanceMarks(marks)),
    recheck: (request) => watch(() => store.recheck(request)),
    halt: (reason, lateMs) => watch(() => store.halt(reason, lateMs)),
    paused: () => watch(() => store.paused()),
    ring: (kind) => watch(() => store.ring(kind)),
  };
}
