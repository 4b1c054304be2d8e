export interface RetryPolicy {
  readonly minMs: number;
  readonly maxMs: number;
  /** Attempts that reached the ledger or judged the row. After that many the row parks; it never fails by count. */
  readonly maxAttempts: number;
}

/**
 * Exponential backoff with full jitter: uniform in [min, min(max, min · 2^attempt)], so that a mass failure does
 * not come back as one wave. We wait at least as long as the ledger asked (RetryInfo), even beyond `max`.
 */
export function backoffMs(
  attempt: number,
  policy: Pick<RetryPolicy, 'minMs' | 'maxMs'>,
  random: () => number,
  askedMs: number | null = null,
): number {
  const ceiling = Math.min(policy.maxMs, policy.minMs * 2 ** Math.min(Math.max(attempt, 0), 30));
  const jittered = policy.minMs + random() * (ceiling - policy.minMs);
  return Math.round(Math.max(jittered, askedMs ?? 0));
}

/** When an undecided row is looked at again: after as long as it has been overdue, within 5 to 60 s (rule 4). */
export function nextLookMs(overdueMs: number | null): number {
  return overdueMs === null ? 60_000 : Math.min(60_000, Math.max(5_000, Math.round(overdueMs)));
}
