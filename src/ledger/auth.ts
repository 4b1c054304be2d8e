// Who we are to the participant: a bearer token, asked for before every call, or none.
import { readFile, stat } from 'node:fs/promises';
import type { CallOptions } from '../ports/ledger.js';

export type TokenRead =
  /** Null: the participant wants none. */
  | { readonly kind: 'token'; readonly token: string | null }
  /** No call is made without the token that it needs: it would only be refused, and hide why. */
  | { readonly kind: 'no-token'; readonly detail: string };

/** Where tokens come from. Reads share work: one is made before each call. */
export interface TokenSource {
  /** Waits no longer than this for a token that has to be fetched; with 0 ms it takes what is at hand. */
  read(options?: Partial<CallOptions>): Promise<TokenRead>;
  /**
   * The participant refused this token (UNAUTHENTICATED): it is not given out again from a cache. One that has been
   * replaced meanwhile changes nothing, so that a burst of late refusals is no burst of new tokens.
   */
  refused(token: string): void;
}

export const noToken: TokenSource = {
  read: async () => ({ kind: 'token', token: null }),
  refused: () => {},
};

/** What may stand in a header. */
const TOKEN = /^[\x21-\x7e]+$/;
export const isToken = (text: string): boolean => TOKEN.test(text);

/**
 * A file that something else renews (a mounted secret, a sidecar). Looked at before each call, read when it changed;
 * a file that is gone or empty is an error, since the token of before may have been revoked with it.
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
            const what = token === '' ? 'is empty' : 'holds characters that no token has';
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
 * The user that a token speaks for, which is the default of `CANTON_USER_ID`: its `sub`, unverified (the participant
 * does that). Null where it is no JWT or names nobody.
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
  /** Without it: as long as the source takes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Null: the participant wants none. */
export type Authorization =
  | { readonly kind: 'authorized'; readonly token: string | null }
  | {
      readonly kind: 'unauthorized';
      readonly errorId: 'CALL_ABORTED' | 'TOKEN_UNAVAILABLE';
      readonly detail: string;
    };

/** Everything that takes time, before anybody asks whether the channel is ready. */
export async function authorize(
  tokens: TokenSource,
  { timeoutMs, signal }: Patience,
): Promise<Authorization> {
  const read = await tokens.read({
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  // First: a call that was given up says nothing of tokens.
  if (signal?.aborted)
    return { kind: 'unauthorized', errorId: 'CALL_ABORTED', detail: 'aborted before the call' };
  return read.kind === 'no-token'
    ? { kind: 'unauthorized', errorId: 'TOKEN_UNAVAILABLE', detail: read.detail }
    : { kind: 'authorized', token: read.token };
}

/** Null: there is none but the one that was refused, and to try that again would be for nothing. */
export async function newerToken(
  tokens: TokenSource,
  refused: string | null,
  patience: Patience,
): Promise<string | null> {
  const next = await authorize(tokens, patience);
  return next.kind === 'authorized' && next.token !== refused ? next.token : null;
}
