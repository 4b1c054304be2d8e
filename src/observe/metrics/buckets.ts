// Shared by the metrics: histogram buckets in seconds, and labels that cannot grow without end.

/** From one database statement to one that waits for a lock. */
export const STATEMENT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a bell that is answered at once to the poll, and on to a backlog. */
export const WAIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
/** canton-middleware's: commits of 5 to 15 s. */
export const CALL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60];

export const seconds = (ms: number): number => ms / 1000;

/** Error ids come from another machine: at most this many become labels, the others become `other`. */
const MOST_ERROR_IDS = 100;
const ERROR_ID = /^[A-Z][A-Z0-9_]{1,79}$/;

export function boundedErrorIds(): (errorId: string) => string {
  const known = new Set<string>();
  return (errorId) => {
    if (known.has(errorId)) return errorId;
    if (known.size >= MOST_ERROR_IDS || !ERROR_ID.test(errorId)) return 'other';
    known.add(errorId);
    return errorId;
  };
}
