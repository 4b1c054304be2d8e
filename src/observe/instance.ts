// What this process has done since its start, and holds now: its part of the status.
import type { Observable } from 'rxjs';
import { StoreUnavailable } from '../core/errors.js';
import type { DbMillis } from '../core/ids.js';
import { verdictName } from '../protocol/verdict.js';
import type { SubmitterEvent } from './events.js';

export interface InstanceState {
  readonly inFlight: { readonly submissions: number; readonly looks: number };
  /** When the row was claimed that it has held longest; null: it holds none. */
  readonly oldestHeldAt: DbMillis | null;
  readonly sinceStart: {
    readonly claimed: number;
    readonly submitted: number;
    readonly completed: number;
    readonly failed: number;
    readonly retried: number;
    readonly parked: number;
    readonly fenced: number;
    readonly rescued: number;
    readonly faults: number;
    readonly alarms: number;
  };
  readonly listener: string;
  readonly breaker: string;
  /** `V2`, `V3`: the hashing scheme of external senders' transfers; null before the first one. */
  readonly hashingScheme: string | null;
  /** The latest ones, newest first. */
  readonly alarms: readonly string[];
}

const ALARMS = 10;

export function createInstanceState(events$: Observable<SubmitterEvent>): () => InstanceState {
  const held = new Map<string, { readonly kind: 'submissions' | 'looks'; readonly at: DbMillis }>();
  const since = {
    claimed: 0,
    submitted: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    parked: 0,
    fenced: 0,
    rescued: 0,
    faults: 0,
    alarms: 0,
  };
  let listener = 'not connected';
  let breaker = 'closed';
  let hashingScheme: string | null = null;
  let alarms: string[] = [];

  const onEvent = (event: SubmitterEvent): void => {
    switch (event.kind) {
      case 'taken':
        held.set(event.id, { kind: event.look ? 'looks' : 'submissions', at: event.at });
        since.claimed += 1;
        return;
      case 'sent':
        since.submitted += 1;
        return;
      case 'settled': {
        held.delete(event.id);
        if (event.result !== 'settled' && event.result !== 'settled-before') return;
        const name = verdictName(event.verdict);
        if (name === 'completed' || name === 'failed' || name === 'parked') since[name] += 1;
        else since.retried += 1;
        return;
      }
      case 'fenced':
        since.fenced += 1;
        return;
      case 'rescued':
        since.rescued += event.rows;
        return;
      case 'fault':
        if (!(event.error instanceof StoreUnavailable)) since.faults += 1;
        return;
      case 'alarm':
        since.alarms += 1;
        alarms = [event.what, ...alarms].slice(0, ALARMS);
        return;
      case 'listener':
        listener = event.detail === '' ? event.state : `${event.state}: ${event.detail}`;
        return;
      case 'hashing-scheme':
        hashingScheme = `V${event.scheme}`;
        return;
      case 'breaker':
        if (event.key === null)
          breaker = event.state === 'closed' ? 'closed' : `${event.state}: ${event.reason}`;
        return;
    }
  };
  events$.subscribe(onEvent);

  return () => {
    const rows = [...held.values()];
    const looks = rows.filter(({ kind }) => kind === 'looks').length;
    // In the order of their claims.
    const [oldest] = rows;
    return {
      inFlight: { submissions: rows.length - looks, looks },
      oldestHeldAt: oldest?.at ?? null,
      sinceStart: { ...since },
      listener,
      breaker,
      hashingScheme,
      alarms,
    };
  };
}
