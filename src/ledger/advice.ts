// Turns gRPC's failure texts, which mention none of our settings, into advice on which setting to check.
import type { Read } from '../ports/ledger.js';
import { noToken, type TokenSource } from './auth.js';

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /self[- ]signed|unable to (verify|get)|unknown ca/i,
    "its certificate was issued by an authority that is not trusted here: put that authority's certificate in CANTON_TLS_CA_FILE",
  ],
  [/altname|does not match certificate/i, 'the host in CANTON_URL is not the one in its certificate'],
  [
    /certificate has expired|CERT_HAS_EXPIRED/i,
    'its certificate has expired: whoever runs the participant has to renew it',
  ],
  [
    /certificate required|handshake failure|bad certificate|ECONNRESET/i,
    'it may require a client certificate: set CANTON_TLS_CERT_FILE and CANTON_TLS_KEY_FILE',
  ],
  [
    /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|Name resolution failed|wrong version number|Protocol error|Failed to connect|packet length too long/i,
    'check the host and the Ledger API port in CANTON_URL, and use https:// only if the participant speaks TLS',
  ],
];

/** Returns the same read; if it failed for a reason that a setting can fix, the detail says which. */
export function advised<T>(read: Read<T>, tokens: TokenSource): Read<T> {
  if (read.kind === 'read') return read;
  const { errorId, detail } = read.refusal;
  const advice = adviceAbout(errorId, detail, tokens === noToken);
  return advice === null ? read : { ...read, refusal: { ...read.refusal, detail: `${detail}: ${advice}` } };
}

function adviceAbout(errorId: string, detail: string, tokenless: boolean): string | null {
  if (errorId === 'GRPC_UNAUTHENTICATED') {
    return tokenless
      ? 'it requires a token: set CANTON_TOKEN_FILE or CANTON_OAUTH_*'
      : 'it refuses the token from CANTON_TOKEN_FILE or CANTON_OAUTH_*: it may have expired, or have another audience, or come from an authority that the participant does not know';
  }
  if (errorId !== 'GRPC_UNAVAILABLE') return null;
  return ADVICE.find(([pattern]) => pattern.test(detail))?.[1] ?? null;
}
