// Whether the receiver as a whole takes nothing. Then one message at a time asks whether it is back, so that an outage of hours
// costs a few requests, and not a retry for every sender. Pure.
import { backoffMs } from '../protocol/backoff.js';

export type Strain =
  /** `refused`: senders whose messages were, since the last delivery. */
  | { readonly kind: 'fine'; readonly refused: ReadonlySet<string> }
  /** `probes`: how many have failed. */
  | { readonly kind: 'down'; readonly probes: number };

export const FINE: Strain = { kind: 'fine', refused: new Set() };

/** So many senders in a row: that is not one sender's message. */
const DOWN_AT = 3;

/** `probe`: it was sent to find out. What was under way when the receiver went down says nothing new. */
export function after(
  strain: Strain,
  { lane, delivered, probe }: { readonly lane: string; readonly delivered: boolean; readonly probe: boolean },
): Strain {
  if (delivered) return FINE;
  if (strain.kind === 'down') return probe ? { kind: 'down', probes: strain.probes + 1 } : strain;
  const refused = new Set([...strain.refused, lane]);
  return refused.size < DOWN_AT ? { kind: 'fine', refused } : { kind: 'down', probes: 0 };
}

/** How long until the next probe. */
export const probeAfterMs = (
  strain: Strain,
  policy: { readonly minMs: number; readonly maxMs: number },
  random: () => number,
): number => (strain.kind === 'fine' ? 0 : backoffMs(strain.probes, policy, random));
