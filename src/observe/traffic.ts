// What is known of the cost of rows in flight, for their stories: what the participant estimated when it prepared one, or
// what a look read of it. The sender's own answer does not say.
import type { Observable } from 'rxjs';
import type { TxHash } from '../core/ids.js';
import type { SubmitterEvent } from './events.js';

/** In bytes of traffic; null: nothing is known. */
export function createTraffic(events$: Observable<SubmitterEvent>): (hash: TxHash) => bigint | null {
  const known = new Map<TxHash, bigint>();
  events$.subscribe((event) => {
    if (event.kind === 'prepared' && event.estimatedTraffic !== null)
      known.set(event.txHash, event.estimatedTraffic);
    else if (event.kind === 'traffic' && event.txHash !== null) known.set(event.txHash, event.paid);
    else if (event.kind === 'settled') known.delete(event.txHash);
  });
  return (hash) => known.get(hash) ?? null;
}
