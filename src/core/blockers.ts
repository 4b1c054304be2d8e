/** What can keep an instance from claiming, or from working well. */
export type BlockerPart =
  | 'database'
  | 'pins'
  | 'halted'
  | 'participant'
  | 'listener'
  | 'breaker'
  | 'clocks'
  | 'mark'
  | 'schema'
  | 'snapshot'
  | 'webhooks'
  | 'paused'
  | 'stopping';

/**
 * Parts of an instance that have something to say while it stays ready: without notifications the poll finds the rows; without a
 * mark only undecided rows wait; an old snapshot only makes claims slow; webhooks that nobody takes hold up no transfer; a pause is
 * a person's decision, and a rolling update goes on meanwhile.
 */
export const HARMLESS: ReadonlySet<string> = new Set(['listener', 'mark', 'snapshot', 'webhooks', 'paused']);
