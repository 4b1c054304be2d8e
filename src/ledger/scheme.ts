// Which hashing scheme preparations are asked for. V3 signs the bound too and hashes contract keys, but is known from
// protocol version 35 on only: it is asked for first, and V2 where it is refused, or ignored (as 3.4 does, which does
// not know the field). Remembered for a while, so that an older participant is not asked twice for every transfer.
import { monotonic } from '../runtime/clock.js';

export type Scheme = 2 | 3;

/** An upgrade of the synchronizer shows within this, one of the participant at once: its connection is lost. */
const ASK_AGAIN_MS = 3_600_000;

export interface SchemeMemory {
  /** What to ask for now. */
  ask(): Scheme;
  /** What a preparation came in. */
  answered(scheme: number): void;
  /** The connection is another one: so may be the participant's version. */
  forget(): void;
  /** The last that was answered; null before any was. */
  inForce(): Scheme | null;
}

/** `changed` hears of each change of what is in force. `elapsed`: monotonic, in ms. */
export function schemeMemory(
  changed: (scheme: Scheme) => void,
  elapsed: () => number = () => monotonic.elapsed(),
): SchemeMemory {
  let inForce: Scheme | null = null;
  let onlyV2Until = Number.NEGATIVE_INFINITY;
  return {
    ask: () => (elapsed() < onlyV2Until ? 2 : 3),
    answered(scheme) {
      if (scheme !== 2 && scheme !== 3) return;
      // Not prolonged by what was not asked again.
      if (scheme === 3) onlyV2Until = Number.NEGATIVE_INFINITY;
      else if (elapsed() >= onlyV2Until) onlyV2Until = elapsed() + ASK_AGAIN_MS;
      if (scheme === inForce) return;
      inForce = scheme;
      changed(scheme);
    },
    forget() {
      onlyV2Until = Number.NEGATIVE_INFINITY;
    },
    inForce: () => inForce,
  };
}
