// Which hashing scheme to ask preparations in. V3 also signs the bound and hashes contract keys, but exists only from
// protocol version 35 on. So V3 is asked for first, then V2 if V3 is refused or ignored (3.4 ignores it, because it
// does not know the field). The answer is remembered for a while, so that an older participant is not asked twice for
// every transfer.
import { monotonic } from '../runtime/clock.js';

export type Scheme = 2 | 3;

/**
 * A synchronizer upgrade is noticed within this time, a participant upgrade at once, because the connection is lost.
 */
const ASK_AGAIN_MS = 3_600_000;

export interface SchemeMemory {
  /** Which scheme to ask for now. */
  ask(): Scheme;
  /** The scheme that a preparation came in. */
  answered(scheme: number): void;
  /** The connection has been replaced, and the participant's version may have changed with it. */
  forget(): void;
  /** The last scheme that was answered; null before the first. */
  inForce(): Scheme | null;
}

/** `changed` is called on each change of the scheme in force. `elapsed`: monotonic, in ms. */
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
      // Not extended by answers to requests that asked for V2 anyway.
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
