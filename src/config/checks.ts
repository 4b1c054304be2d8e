// What no setting can tell by itself: relations between settings, and the files that they name.
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { tokenSubject } from '../ledger/auth.js';
import type { settings } from './settings.js';

export type Values = z.infer<z.ZodObject<Omit<typeof settings, 'CHAIN_ID'>>>;

/** Relations between settings: what would break is a problem, what is merely odd a warning. */
export function crossCheck(v: Values, problems: string[], warnings: string[]): void {
  const tlsFiles = [v.CANTON_TLS_CA_FILE, v.CANTON_TLS_CERT_FILE, v.CANTON_TLS_KEY_FILE];
  if (tlsFiles.some((file) => file !== undefined) && !v.CANTON_URL.startsWith('https://')) {
    problems.push(
      'CANTON_TLS_* is set, but CANTON_URL is plaintext: write https://host:port, or leave the files out',
    );
  }
  if ((v.CANTON_TLS_CERT_FILE === undefined) !== (v.CANTON_TLS_KEY_FILE === undefined)) {
    problems.push('CANTON_TLS_CERT_FILE and CANTON_TLS_KEY_FILE belong together: give both or neither');
  }
  if (v.RETRY_MIN_MS > v.RETRY_MAX_MS) {
    problems.push(
      `RETRY_MIN_MS (${v.RETRY_MIN_MS}) is above RETRY_MAX_MS (${v.RETRY_MAX_MS}): lower it, or raise the other`,
    );
  }
  if (v.POLL_INTERVAL_MS > v.LEASE_MS) {
    warnings.push(
      `POLL_INTERVAL_MS (${v.POLL_INTERVAL_MS}) is above LEASE_MS (${v.LEASE_MS}): rows of a killed process wait for the poll, not the lease`,
    );
  }
  if (v.CALL_TIMEOUT_MS < v.SUBMISSION_WINDOW_MS) {
    warnings.push(
      `CALL_TIMEOUT_MS (${v.CALL_TIMEOUT_MS}) is below SUBMISSION_WINDOW_MS (${v.SUBMISSION_WINDOW_MS}): calls are given up while the ledger may still accept them, and each such row costs a look`,
    );
  }
  if (v.DATABASE_POOL_SIZE === 1)
    warnings.push('DATABASE_POOL_SIZE is 1: a slow claim keeps lease renewals waiting');
  const { ADMIN_ADDRESS: admin } = v;
  if (admin !== null && v.ADMIN_TOKEN === undefined && !/^(localhost|127\.[\d.]+|::1)$/.test(admin.host)) {
    warnings.push(`ADMIN_ADDRESS ${admin.host} can be reached from outside, and no ADMIN_TOKEN guards it`);
  }
}

/** The user is pinned, so it must be known at start; the token that names it is verified by the participant. */
export function userIdOf(env: NodeJS.ProcessEnv, problems: string[]): string {
  if (env.CANTON_USER_ID) return env.CANTON_USER_ID;
  if (!env.CANTON_TOKEN_FILE) {
    problems.push('CANTON_USER_ID is not set: name the ledger user, or give its token in CANTON_TOKEN_FILE');
    return '';
  }
  const token = readable('CANTON_TOKEN_FILE', env.CANTON_TOKEN_FILE, problems);
  const subject = token === null ? null : tokenSubject(token.trim());
  if (token !== null && subject === null) {
    problems.push('CANTON_USER_ID is not set, and the token in CANTON_TOKEN_FILE names no subject: set it');
  }
  return subject ?? '';
}

export function checkFiles(env: NodeJS.ProcessEnv, problems: string[]): void {
  const names = ['CANTON_TLS_CA_FILE', 'CANTON_TLS_CERT_FILE', 'CANTON_TLS_KEY_FILE'];
  if (env.CANTON_USER_ID) names.push('CANTON_TOKEN_FILE');
  for (const name of names) {
    const path = env[name];
    if (path) readable(name, path, problems);
  }
}

function readable(name: string, path: string, problems: string[]): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
