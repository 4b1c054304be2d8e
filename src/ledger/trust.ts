// Certificates that are renewed on disk: which files, and what they hold now. Node itself reads NODE_EXTRA_CA_CERTS once.
import { readFileSync, statSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Says of files whether they are others than at the last time; cheap enough for every connection. */
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

/** Of NODE_EXTRA_CA_CERTS alone. */
export const extraVersion = (): string => versionOf([extra()]);

/** Node's authorities with those of NODE_EXTRA_CA_CERTS as it is now, PEM; null: as Node read them at its start. */
export function renewedAuthorities(): string | null {
  const path = extra();
  if (path === undefined || path === '' || versionOf([path]) === atStart) return null;
  try {
    return [...rootCertificates, readFileSync(path, 'utf8')].join('\n');
  } catch {
    // Between two versions of it: what was read at the start serves on.
    return null;
  }
}
