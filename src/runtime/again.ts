import { backoffMs } from '../protocol/backoff.js';

/** One more try after a failure. */
export interface Again {
  failed(): void;
  worked(): void;
}

/**
 * Ever later while it fails, with jitter, so that a fleet does not come as one; and one at a time, however often it is
 * asked for: a try of its own after each failure would double with every other reason to try.
 */
export function createAgain(
  go: () => void,
  policy: { readonly minMs: number; readonly maxMs: number },
  random: () => number,
): Again {
  let failures = 0;
  let timer: NodeJS.Timeout | null = null;
  return {
    failed() {
      failures += 1;
      if (timer !== null) return;
      timer = setTimeout(
        () => {
          timer = null;
          go();
        },
        backoffMs(failures - 1, policy, random),
      ).unref();
    },
    worked() {
      failures = 0;
    },
  };
}
