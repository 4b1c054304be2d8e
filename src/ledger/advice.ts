// What a person should look at, when the participant does not let us in: gRPC's own words name no setting of ours.
import type { Read } from '../ports/ledger.js';
import { noToken, type TokenSource } from './auth.js';

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /self[- ]signed|unable to (verify|get)|unknown ca/i,
    "its certificate is of an authority that is not trusted here: give that one's in CANTON_TLS_CA_FILE",
  ],
  [/altname|does not match certificate/i, 'CANTON_URL names another host than its certificate'],
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'its certificate has expired'],
  [
    /certificate required|handshake failure|bad certificate|ECONNRESET/i,
    'it may want a certificate of ours: CANTON_TLS_CERT_FILE and CANTON_TLS_KEY_FILE',
  ],
  [
    /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|Name resolution failed|wrong version number|Protocol error|Failed to connect|packet length too long/i,
    'see whether CANTON_URL has its host and its Ledger API port, with https:// where it speaks TLS and only there',
  ],
];

/** The same read; where it failed for what a setting can mend, its detail says so. */
export function advised<T>(read: Read<T>, tokens: TokenSource): Read<T> {
  if (read.kind === 'read') return read;
  const { errorId, detail } = read.refusal;
  const advice = adviceFor(errorId, detail, tokens === noToken);
  return advice === null ? read : { ...read, refusal: { ...read.refusal, detail: `${detail}: ${advice}` } };
}

function adviceFor(errorId: string, detail: string, tokenless: boolean): string | null {
  if (errorId === 'GRPC_UNAUTHENTICATED') {
    return tokenless
      ? 'it wants a token: set CANTON_TOKEN_FILE, or CANTON_OAUTH_*'
      : 'it refuses the token of CANTON_TOKEN_FILE, or CANTON_OAUTH_*: ended, of another audience, or of an authority it does not know';
  }
  if (errorId !== 'GRPC_UNAVAILABLE') return null;
  return ADVICE.find(([pattern]) => pattern.test(detail))?.[1] ?? null;
}
