import { backoffMs } from '../protocol/backoff.js';

/** One more try after a failure. */
export interface Again {
  /** `go`: the next try, when it is due. */
  failed(go: () => void): void;
  worked(): void;
}

/**
 * Later each time while it fails, with jitter, so that a fleet does not come all at once; and only one is due at a time,
 * however often it is asked for: one for each failure would add up with every other reason to try.
 */
export function createAgain(
  policy: { readonly minMs: number; readonly maxMs: number },
  random: () => number,
): Again {
  let failures = 0;
  let timer: NodeJS.Timeout | null = null;
  return {
    failed(go) {
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
