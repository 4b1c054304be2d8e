// Compares the ledger's clock with the database's (I7). Pure; times in ms since the epoch.
import { type Finding, fail, ok, skipped, warn } from './finding.js';

const check = 'clocks';
/** The difference at which an instance warns. */
const APART_MS = 5_000;

export interface Times {
  /** The database's time before and after the participant was asked. */
  readonly before: number;
  readonly after: number;
  /**
   * `now`: the participant's clock at that moment. `past`: a record time, possibly as old as its stream has been
   * idle.
   */
  readonly told: { readonly kind: 'now' | 'past'; readonly at: number } | null;
  /** The pinned CLOCK_SKEW_MAX_MS. */
  readonly skewMaxMs: number;
}

export function clockFinding({ before, after, told, skewMaxMs }: Times): Finding {
  if (told === null)
    return skipped(check, 'the participant did not report its time', 'the first transfer will measure it');
  const ahead =
    told.at > after ? told.at - after : told.kind === 'now' && told.at < before ? told.at - before : 0;
  const apart = Math.abs(ahead);
  const what = `the ledger's clock is ${Math.round(apart)} ms ${ahead > 0 ? 'ahead of' : 'behind'} the database's`;
  if (apart >= skewMaxMs / 2) {
    return fail(check, `${what}; half of CLOCK_SKEW_MAX_MS is ${skewMaxMs / 2}`, 'correct the clocks (NTP)');
  }
  if (apart >= APART_MS) return warn(check, what, 'correct the clocks (NTP)');
  if (told.kind === 'now') return ok(check, 'the ledger and the database agree');
  const age = Math.max(0, Math.round(after - told.at));
  return ok(check, `the ledger is not ahead; its newest record time is ${age} ms old`);
}
