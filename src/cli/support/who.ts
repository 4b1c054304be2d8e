// Who runs a command, for the audit.
import { hostname, userInfo } from 'node:os';

import type { Decided } from '../../store/pins.js';

export const decidedBy = (reason: string | undefined): Decided => ({ by: whoRuns(), reason: reason ?? null });

/** `user@host`. A user id that the machine has no name for stands for itself. */
export function whoRuns(): string {
  const name = ((): string => {
    try {
      return userInfo().username;
    } catch {
      return String(process.getuid?.() ?? 'somebody');
    }
  })();
  return `${name}@${hostname()}`;
}
