// Checks before the first pin. Pinned values apply to every later instance, so a setting that contradicts the ledger
// is refused here, before it has cost a row. A participant that is merely unreachable is waited for, as always.
import { ConfigError } from '../core/errors.js';
import { sleep } from '../runtime/timers.js';
import { type Finding, words } from './finding.js';

export interface FirstStart {
  /** The pins exist already, by somebody's decision: nothing here blocks the start any more. */
  pinned(): Promise<boolean>;
  check(): Promise<readonly Finding[]>;
  /** Why nothing is claimed yet. */
  waiting(reason: string): void;
  warning(what: string): void;
  readonly signal: AbortSignal;
  readonly againMs: number;
}

/** `clear`: the first pin may be made. Throws ConfigError with the same findings that `doctor` prints. */
export async function beforeFirstPin(start: FirstStart): Promise<'pinned' | 'clear' | 'stopped'> {
  let said: string | null = null;
  while (!start.signal.aborted) {
    if (await start.pinned()) return 'pinned';
    const findings = await start.check();
    if (start.signal.aborted) return 'stopped';
    const of = (status: Finding['status']): string[] =>
      findings.filter((one) => one.status === status).map(words);
    const failed = of('fail');
    if (failed.length > 0) throw new ConfigError(failed);
    const waits = of('wait');
    if (waits.length === 0) {
      for (const what of of('warn')) start.warning(what);
      return 'clear';
    }
    const reason = waits.join(' / ');
    if (reason !== said) start.waiting(reason);
    said = reason;
    await sleep(start.againMs, start.signal);
  }
  return 'stopped';
}
