// Checks that no single setting can make: relations between settings, and the files that they name.
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { isLoopback } from '../ledger/url.js';
import { parseDatabaseUrl } from '../store/url.js';
import type { settings } from './settings.js';

export type Values = z.infer<z.ZodObject<Omit<typeof settings, 'CHAIN_ID'>>>;

/** Relations between settings: what would break is a problem, what is merely odd is a warning. */
export function crossCheck(v: Values, problems: string[], warnings: string[]): void {
  const tlsFiles = [v.CANTON_TLS_CA_FILE, v.CANTON_TLS_CERT_FILE, v.CANTON_TLS_KEY_FILE];
  if (tlsFiles.some((file) => file !== undefined) && !v.CANTON_URL.startsWith('https://')) {
    problems.push(
      'CANTON_TLS_* is set, but CANTON_URL is plaintext: write https://host:port, or remove CANTON_TLS_*',
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
      `POLL_INTERVAL_MS (${v.POLL_INTERVAL_MS}) is above LEASE_MS (${v.LEASE_MS}): rows of a killed process will wait for the poll rather than the lease; lower it`,
    );
  }
  if (v.CALL_TIMEOUT_MS < v.SUBMISSION_WINDOW_MS) {
    warnings.push(
      `CALL_TIMEOUT_MS (${v.CALL_TIMEOUT_MS}) is below SUBMISSION_WINDOW_MS (${v.SUBMISSION_WINDOW_MS}): calls will be given up while the ledger may still accept them, and each such row will have to be looked up; raise it`,
    );
  }
  if (v.CANTON_OAUTH_TOKEN_URL !== undefined && isPlainOutside(v.CANTON_OAUTH_TOKEN_URL)) {
    warnings.push(
      'CANTON_OAUTH_TOKEN_URL is plain http to another machine: the client secret and the token can be read in transit; use https://',
    );
  }
  if (v.VERIFY_PREPARED === 'off') {
    warnings.push(
      'VERIFY_PREPARED is off: external senders sign whatever the participant prepares, even with another receiver or amount',
    );
  }
  if (v.DATABASE_POOL_SIZE === 1)
    warnings.push('DATABASE_POOL_SIZE is 1: a slow claim will delay lease renewals; set it to 2 or more');
  const { ADMIN_ADDRESS: admin } = v;
  if (admin !== null && v.ADMIN_TOKEN === undefined && !isLoopback(admin.host)) {
    warnings.push(`ADMIN_ADDRESS ${admin.host} can be reached from outside: set ADMIN_TOKEN to protect it`);
  }
}

/** Plain http to another machine. */
export function isPlainOutside(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname);
}

export function checkFiles(env: NodeJS.ProcessEnv, problems: string[]): void {
  const names = ['CANTON_TLS_CA_FILE', 'CANTON_TLS_CERT_FILE', 'CANTON_TLS_KEY_FILE'];
  for (const name of names) {
    const path = env[name];
    if (path) readable(name, path, problems);
  }
}

/** For every command: checks the files named in the database URLs. Passwords are not files. */
export function checkDatabaseFiles(env: NodeJS.ProcessEnv, problems: string[]): void {
  for (const name of ['DATABASE_URL', 'DATABASE_LISTEN_URL']) {
    const parsed = parseDatabaseUrl(env[name] ?? '');
    if ('problem' in parsed) continue;
    for (const file of parsed.files) readable(`${name}: ${file.name}`, file.path, problems);
  }
}

export function readable(name: string, path: string, problems: string[]): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
