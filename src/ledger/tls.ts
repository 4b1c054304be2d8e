// Whom we trust on the other end of the channel, and how we identify ourselves to it: PEM files, which others renew.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { ConfigError } from '../core/errors.js';
import { extraVersion, renewedAuthorities, versionOf } from './trust.js';

export interface TlsFiles {
  /** PEM; without it, Node's own authorities. */
  readonly caFile?: string | undefined;
  /** PEM; both or neither. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** The certificates as they are on disk, read again for the first connection after a renewal. */
export function tlsSecurity(tls: TlsFiles): {
  current(): ChannelCredentials;
  /** There are new certificates, and they are usable: half a pair or half a file is not. */
  renewed(): boolean;
} {
  const files = [tls.caFile, tls.certFile, tls.keyFile];
  const version = (): string => `${versionOf(files)}|${tls.caFile === undefined ? extraVersion() : ''}`;
  let loaded = version();
  let current = tlsCredentials(tls);
  return {
    current: () => current,
    renewed() {
      const now = version();
      if (now === loaded) return false;
      try {
        current = tlsCredentials(tls);
      } catch (error) {
        if (error instanceof ConfigError) return false;
        throw error;
      }
      loaded = now;
      return true;
    },
  };
}

function tlsCredentials({ caFile, certFile, keyFile }: TlsFiles): ChannelCredentials {
  const problems: string[] = [];
  const read = (path: string | undefined, name: string): Buffer | null => {
    if (path === undefined) return null;
    try {
      return readFileSync(path);
    } catch (error) {
      problems.push(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const authorities = caFile === undefined ? renewedAuthorities() : null;
  const ca = authorities === null ? read(caFile, 'CANTON_TLS_CA_FILE') : Buffer.from(authorities);
  const key = read(keyFile, 'CANTON_TLS_KEY_FILE');
  const cert = read(certFile, 'CANTON_TLS_CERT_FILE');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push('CANTON_TLS_CERT_FILE and CANTON_TLS_KEY_FILE belong together: give both or neither');
  }
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    // createSsl silently ignores anything that is not a certificate.
    if (ca !== null) new X509Certificate(ca);
    return credentials.createSsl(ca, key, cert);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`the files in CANTON_TLS_* cannot be used: ${reason}`]);
  }
}
