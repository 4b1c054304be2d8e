// The throw-away server that tests' databases live on.
import {
  startPostgres,
  type ThrowawayOptions,
  type ThrowawayPostgres,
} from '../../src/cli/support/throwaway-postgres.js';
import { serverFolder } from './server-folder.js';

const SETTINGS = { track_functions: 'pl', max_connections: '600', max_wal_size: '512MB' };
/** `npm run test:slow-commits`: every commit takes so long, as on a slow disk or with a synchronous standby. */
const COMMIT_MS = Number(process.env.TEST_COMMIT_MS ?? 0);
const SLOW = { commit_siblings: '0', commit_delay: String(COMMIT_MS * 1_000) };

export const startTestServer = (
  options: Omit<ThrowawayOptions, 'settings' | 'parent'> = {},
): Promise<ThrowawayPostgres> =>
  startPostgres({
    ...options,
    settings: { ...SETTINGS, ...(COMMIT_MS > 0 ? SLOW : {}) },
    parent: serverFolder(),
  });
