import type { Notifications } from '../ports/notifications.js';
import type { Wakeups } from './wake.js';

/** Notifications are hints (I8): whatever they say, the answer is a look. A new connection may have missed some. */
export function listen(notifications: Notifications, wakeups: Wakeups): Promise<void> {
  return notifications.start((source) => {
    if (source === 'other') wakeups.notAlone();
    else wakeups.signal(source === 'connected' ? 'listen' : source);
  });
}

/** The poll is short while the listener is not proven: then it is the engine, not the net. */
export const pollInterval = (pollMs: number, notifications: Pick<Notifications, 'proven'>): number =>
  notifications.proven() ? pollMs : Math.min(pollMs, UNPROVEN_POLL_MS);

const UNPROVEN_POLL_MS = 1_000;
