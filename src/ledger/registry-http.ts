// One call to a registry's HTTP API, wherever its root is. Never throws: any failure is blamed on the token.
import { withoutControls } from '../core/words.js';
import { type CallOptions, localFailure, type Read } from '../ports/ledger.js';
import { limited } from '../runtime/limit.js';
import type { LocalErrorId } from './classify.js';
import { fetch, textUpTo } from './fetch.js';

/** Where a registry is, and what we have learned about it. */
export interface RegistryPlace {
  /** As written in TOKENS_FILE. */
  readonly url: string;
  readonly admin: string;
  /** Which of `registryRoots` has answered, by url and admin. */
  readonly known: Map<string, string>;
}

export interface RegistryCall {
  /** After the root: `/registry/…`. */
  readonly path: string;
  /** A POST of this JSON; without it, a GET. */
  readonly body?: object;
}

/** `not-there`: 404 at every possible root. */
export type RegistryReply = { readonly kind: 'body'; readonly text: string } | { readonly kind: 'not-there' };

/** As in canton-middleware: long enough for any registry, and nothing is under way meanwhile. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
/** A proxy or CDN in between may say a day, and every sender of the token would wait with its row. */
const RETRY_MAX_S = 600;
/** Enough for the words of a refusal, which are all that is read of it. */
const REFUSAL_MAX_BYTES = 2048;
const WORDS_MAX = 200;

/**
 * What comes before `/registry/…` depends on the token: Digital Asset's Utility serves many registrars, each at
 * `<base>/api/token-standard/v0/registrars/{admin}`; Splice (Canton Coin) serves one, at the root. A URL that is
 * explicit (ends in `/registry`, or names a registrar) is used as it is. Any other is tried as the Utility's base,
 * and then as the root itself.
 */
export function registryRoots(url: string, admin: string): readonly string[] {
  const base = url.replace(/\/+$/, '');
  if (base.endsWith('/registry')) return [base.slice(0, -'/registry'.length)];
  if (/\/registrars\/[^/]+$/.test(base)) return [base];
  return [`${base}/api/token-standard/v0/registrars/${encodeURIComponent(admin)}`, base];
}

/** Sends none of our tokens, and only goes where the operator said: redirects are not followed. */
export async function callRegistry(
  place: RegistryPlace,
  call: RegistryCall,
  options: CallOptions,
): Promise<Read<RegistryReply>> {
  const given = options.signal === undefined ? [] : [options.signal];
  const timeoutMs = Math.max(0, Math.min(TIMEOUT_MS, options.timeoutMs));
  return await limited(given, timeoutMs, (signal) => ask(place, call, options, signal));
}

async function ask(
  { url, admin, known }: RegistryPlace,
  { path, body }: RegistryCall,
  options: CallOptions,
  signal: AbortSignal,
): Promise<Read<RegistryReply>> {
  const key = `${url} ${admin}`;
  const answered = known.get(key);
  const roots = registryRoots(url, admin);
  try {
    // The known one first. If it says 404, the registry may have moved to the other.
    for (const root of answered === undefined ? roots : new Set([answered, ...roots])) {
      const response = await fetch(`${root}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal,
      });
      if (response.status === 404) {
        await response.body?.cancel();
        continue;
      }
      if (response.status !== 200) return refusedWith(response, await wordsOf(response));
      const text = await textUpTo(MAX_BYTES, response);
      if (text === null)
        return registryFailure('REGISTRY_UNREADABLE', `its answer is longer than ${MAX_BYTES} bytes`);
      known.set(key, root);
      return { kind: 'read', value: { kind: 'body', text } };
    }
    return { kind: 'read', value: { kind: 'not-there' } };
  } catch (error) {
    // We ended it (a lost lease, a stop), so it says nothing about the registry.
    if (options.signal?.aborted)
      return localFailure('CALL_ABORTED', 'aborted before the registry answered', false);
    return registryFailure(
      'REGISTRY_UNAVAILABLE',
      signal.aborted ? 'it did not answer in time' : causeOf(error),
    );
  }
}

/** Overloaded or broken: it may pass. Anything else but 200 is a definite refusal. */
function refusedWith(response: Response, words: string): Read<never> {
  const passing = response.status >= 500 || response.status === 429 || response.status === 408;
  const after = /^\d+$/.exec(response.headers.get('retry-after') ?? '')?.[0];
  const seconds = after === undefined ? null : Math.min(Number(after), RETRY_MAX_S);
  const detail = `it answered ${response.status}${words}`;
  return registryFailure(
    passing ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_REFUSED',
    detail,
    seconds && seconds * 1000,
  );
}

/** What it says to people: `error` as Splice writes it, or `message`. A refusal whose body cannot be read stays one. */
async function wordsOf(response: Response): Promise<string> {
  try {
    const answer: unknown = JSON.parse((await textUpTo(REFUSAL_MAX_BYTES, response)) ?? '');
    const { error, message } = {
      ...(answer as { readonly error?: unknown; readonly message?: unknown } | null),
    };
    const said = [error, message].find((one) => typeof one === 'string' && one !== '');
    return typeof said === 'string' ? `: ${withoutControls(said).slice(0, WORDS_MAX)}` : '';
  } catch {
    return '';
  }
}

export const registryFailure = (
  errorId: LocalErrorId,
  what: string,
  retryAfterMs: number | null = null,
): Read<never> => ({
  kind: 'failed-read',
  refusal: {
    // A refusal may concern this transfer alone, for example its receiver.
    kind: errorId === 'REGISTRY_REFUSED' ? 'suspect' : 'not-the-row',
    blame: 'token',
    errorId,
    detail: `the token's registry: ${what}`,
    retryAfterMs,
  },
  pruned: false,
});

/** The error's own message may contain the URL, and a URL may contain a password, so only its cause is told. */
function causeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === 'string' ? `it cannot be reached (${cause.code})` : 'it cannot be reached';
}
