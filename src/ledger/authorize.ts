// The token that a call carries.
import { Metadata } from '@grpc/grpc-js';
import type { TokenSource } from './auth.js';

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

export function metadataWith(token: string | null): Metadata {
  const metadata = new Metadata({ waitForReady: false });
  if (token !== null) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
