// What this process knows of itself right now, and what happened to it lately: its own part of the page.
import type { Observable } from 'rxjs';
import type { Clock } from '../ports/clock.js';
import type { SubmitterEvent } from './events.js';

export interface OpenCircuit {
  /** A sender, receiver or token; null: everybody. */
  readonly key: string | null;
  readonly state: 'open' | 'probing';
  readonly reason: string;
  readonly forMs: number;
}

export interface Happening {
  readonly what: string;
  readonly agoMs: number;
}

export interface Recent {
  readonly listener: string;
  readonly open: readonly OpenCircuit[];
  /** How many rows may be in flight here: less than the setting while the participant is overloaded. */
  readonly limit: number | null;
  /** Breaker, listener, database, overload, alarms: latest first. */
  readonly happenings: readonly Happening[];
}

const KEPT = 12;
/** Keys come from rows: an outage of one token may open many. */
const MOST_OPEN = 50;

export function createRecent(events$: Observable<SubmitterEvent>, clock: Clock): () => Recent {
  const open = new Map<string | null, Omit<OpenCircuit, 'forMs'> & { readonly at: number }>();
  let happenings: { readonly what: string; readonly at: number }[] = [];
  let listener = 'not connected yet';
  let limit: number | null = null;

  const happened = (what: string): void => {
    // What repeats is told once, with its latest time.
    happenings = [{ what, at: clock.elapsed() }, ...happenings.filter((one) => one.what !== what)].slice(
      0,
      KEPT,
    );
  };

  events$.subscribe((event) => {
    switch (event.kind) {
      case 'breaker': {
        const { key, state, reason } = event;
        const whose = key === null ? 'The breaker' : `The breaker for ${key}`;
        if (state === 'closed') {
          if (open.delete(key)) happened(`${whose} has closed`);
          return;
        }
        const before = open.get(key);
        if (before === undefined) happened(`${whose} has opened: ${reason}`);
        if (before !== undefined || open.size < MOST_OPEN)
          open.set(key, {
            key,
            state,
            reason: reason || (before?.reason ?? ''),
            at: before?.at ?? clock.elapsed(),
          });
        return;
      }
      case 'congestion':
        limit = event.limit;
        if (event.reason !== null)
          happened(
            `The participant is overloaded, at most ${event.limit} rows in flight here: ${event.reason}`,
          );
        return;
      case 'listener':
        listener = event.detail === '' ? event.state : `${event.state}: ${event.detail}`;
        if (event.state !== 'connected') happened(`The listener is ${listener}`);
        return;
      case 'canary':
        listener =
          event.tookMs === null ? 'does not hear its own notifications' : 'hears its own notifications';
        return;
      case 'database':
        return happened(
          event.state === 'lost' ? `The database was lost: ${event.detail}` : 'The database is back',
        );
      case 'rescued':
        return happened(`Took rows back from an instance whose leases had run out: ${event.rows}`);
      case 'alarm':
        return happened(`Alarm: ${event.what}${event.txHash === null ? '' : ` (${event.txHash})`}`);
    }
  });

  return () => {
    const now = clock.elapsed();
    return {
      listener,
      limit,
      open: [...open.values()].map(({ at, ...one }) => ({ ...one, forMs: Math.round(now - at) })),
      happenings: happenings.map(({ what, at }) => ({ what, agoMs: Math.round(now - at) })),
    };
  };
}
