import type { PausedPart } from '../../ports/store.js';
import { tokenKey } from '../../transfer/address.js';
import type { PathContext, Pauses, Submission } from '../given/context.js';

/** How old what is known of pauses may be when a request leaves: a pause is in force within a second. */
const FRESH_MS = 500;

/**
 * A claim takes nothing that is paused. A row that was slow between its claim and its call is asked for again, since a pause
 * may have come in between: one statement for all rows of half a second, and none where rows are quick.
 */
export function createPauses({ store, clock }: Pick<PathContext, 'store' | 'clock'>): Pauses {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<readonly PausedPart[]> = Promise.resolve([]);
  return {
    async against({ claim, at }) {
      const since = clock.elapsed() - FRESH_MS;
      if (at >= since) return null;
      if (askedAt < since) {
        askedAt = clock.elapsed();
        answer = store.paused();
      }
      try {
        const found = (await answer).find((part) => covers(part, claim.row));
        return found === undefined ? null : `paused: ${found.reason}`;
      } catch {
        askedAt = Number.NEGATIVE_INFINITY;
        return 'the database does not say whether it is paused';
      }
    },
  };
}

const covers = (
  { scope, address }: PausedPart,
  { fromAddress, contractAddress }: Submission['claim']['row'],
): boolean =>
  scope === 'all' || `0x${address}` === tokenKey(scope === 'token' ? contractAddress : fromAddress);
