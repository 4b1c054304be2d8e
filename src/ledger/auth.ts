// How we identify ourselves to the participant: with a bearer token, read before every call, or with none.
import { readFile, stat } from 'node:fs/promises';
import type { CallOptions } from '../ports/ledger.js';

export type TokenRead =
  /** Null: the participant needs no token. */
  | { readonly kind: 'token'; readonly token: string | null }
  /** The call is not made: without its token it would only be refused, and hide the real cause. */
  | { readonly kind: 'no-token'; readonly detail: string };

/** Where tokens come from. `read` is called before every call, so concurrent reads share their work. */
export interface TokenSource {
  /** Waits at most this long for a token that has to be fetched; with 0 ms it returns what it already has. */
  read(options?: Partial<CallOptions>): Promise<TokenRead>;
  /**
   * The participant refused this token (UNAUTHENTICATED), so the cache must not hand it out again. Has no effect if
   * the token has been replaced since, so that a burst of late refusals does not request a burst of new tokens.
   */
  refused(token: string): void;
}

export const noToken: TokenSource = {
  read: async () => ({ kind: 'token', token: null }),
  refused: () => {},
};

/** The characters allowed in a header. */
const TOKEN = /^[\x21-\x7e]+$/;
export const isToken = (text: string): boolean => TOKEN.test(text);

/**
 * A file that something else renews (a mounted secret, a sidecar). Checked before each call and read again when it
 * changed. A missing or empty file is an error, because the previous token may have been revoked with it.
 */
export function tokenFile(path: string): TokenSource {
  let cached: { readonly version: string; readonly token: string } | null = null;
  return {
    async read() {
      try {
        const { mtimeMs, ino, size } = await stat(path);
        const version = `${mtimeMs} ${ino} ${size}`;
        if (cached?.version !== version) {
          const token = (await readFile(path, 'utf8')).trim();
          if (!isToken(token)) {
            cached = null;
            const what =
              token === ''
                ? 'is empty: wait for whatever writes it, or check the path'
                : 'contains characters that are not allowed in a token';
            return { kind: 'no-token', detail: `CANTON_TOKEN_FILE ${path} ${what}` };
          }
          cached = { version, token };
        }
        return { kind: 'token', token: cached.token };
      } catch (error) {
        cached = null;
        const reason = error instanceof Error ? error.message : String(error);
        return { kind: 'no-token', detail: `CANTON_TOKEN_FILE cannot be read: ${reason}` };
      }
    },
    refused(token) {
      if (cached?.token === token) cached = null;
    },
  };
}

/**
 * The user a token speaks for, the default of `CANTON_USER_ID`: its `sub`, not verified here (the participant does
 * that). Null if it is not a JWT or has no subject.
 */
export function tokenSubject(token: string): string | null {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const subject = (payload as { sub?: unknown } | null)?.sub;
    return typeof subject === 'string' && subject !== '' ? subject : null;
  } catch {
    return null;
  }
}

export interface Patience {
  /** If absent, waits as long as the source takes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Null: the participant needs no token. */
export type Authorization =
  | { readonly kind: 'authorized'; readonly token: string | null }
  | {
      readonly kind: 'unauthorized';
      readonly errorId: 'CALL_ABORTED' | 'TOKEN_UNAVAILABLE';
      readonly detail: string;
    };

/** Does everything that takes time, so that the channel can be checked right before the call. */
export async function authorize(
  tokens: TokenSource,
  { timeoutMs, signal }: Patience,
): Promise<Authorization> {
  const read = await tokens.read({
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  // Checked first: an aborted call says nothing about tokens.
  if (signal?.aborted)
    return { kind: 'unauthorized', errorId: 'CALL_ABORTED', detail: 'aborted before the call' };
  return read.kind === 'no-token'
    ? { kind: 'unauthorized', errorId: 'TOKEN_UNAVAILABLE', detail: read.detail }
    : { kind: 'authorized', token: read.token };
}

/** Null if there is only the token that was just refused: trying it again would be pointless. */
export async function newerToken(
  tokens: TokenSource,
  refused: string | null,
  patience: Patience,
): Promise<string | null> {
  const next = await authorize(tokens, patience);
  return next.kind === 'authorized' && next.token !== refused ? next.token : null;
}
