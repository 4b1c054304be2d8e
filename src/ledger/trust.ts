// Certificates that are renewed on disk: which files they are, and what they contain now. Node itself reads
// NODE_EXTRA_CA_CERTS only once.
import { readFileSync, statSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Tells whether files have changed since the last time; cheap enough to ask before every connection. */
export function versionOf(paths: readonly (string | undefined)[]): string {
  return paths
    .map((path) => {
      if (path === undefined || path === '') return '-';
      try {
        const { mtimeMs, ino, size } = statSync(path);
        return `${mtimeMs} ${ino} ${size}`;
      } catch {
        return '?';
      }
    })
    .join('|');
}

const extra = (): string | undefined => process.env.NODE_EXTRA_CA_CERTS;
const atStart = versionOf([extra()]);

/** NODE_EXTRA_CA_CERTS alone. */
export const extraVersion = (): string => versionOf([extra()]);

/**
 * Node's authorities with NODE_EXTRA_CA_CERTS as it is now, in PEM; null if it is still as Node read it at its start.
 */
export function renewedAuthorities(): string | null {
  const path = extra();
  if (path === undefined || path === '' || versionOf([path]) === atStart) return null;
  try {
    return [...rootCertificates, readFileSync(path, 'utf8')].join('\n');
  } catch {
    // The file is being replaced: keep what was read at the start.
    return null;
  }
}
