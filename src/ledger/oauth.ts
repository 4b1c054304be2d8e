// Tokens by OAuth2 client credentials: fetched when needed, renewed before they expire, one request at a time.

import { withoutControls } from '../core/words.js';
import type { Clock } from '../ports/clock.js';
import type { CallOptions } from '../ports/ledger.js';
import { backoffMs } from '../protocol/backoff.js';
import { monotonic } from '../runtime/clock.js';
import { limited } from '../runtime/limit.js';
import { pause } from '../runtime/timers.js';
import { isToken, type TokenSource } from './auth.js';
import { fetch, textUpTo } from './fetch.js';

export interface OauthOptions {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** For one HTTP call, answer included. */
  readonly timeoutMs?: number;
}

/** As in canton-middleware: a token is renewed a minute before it expires, or half-way through a shorter life. */
const LEEWAY_MS = 60_000;
/**
 * If the authority does not say how long a token lives, renew it after this, and use it until the participant refuses
 * it.
 */
const UNTOLD_MS = 300_000;
const TIMEOUT_MS = 10_000;
/** Between failed requests: an authority that is down, or that our mistake makes fail, must not be hammered. */
const AGAIN = { minMs: 1_000, maxMs: 30_000 };

interface Held {
  readonly token: string;
  /** When it was requested, so its life cannot have started earlier. */
  readonly since: number;
  readonly renewAt: number;
  readonly endsAt: number;
}

export function oauthTokens(client: OauthClient, options: OauthOptions = {}): TokenSource {
  const { clock = monotonic, random = Math.random, timeoutMs = TIMEOUT_MS } = options;
  let held: Held | null = null;
  let fetching: Promise<void> | null = null;
  let problem = 'no token has been fetched yet';
  /** Failed requests in a row, and tokens in a row that the participant refused. */
  let failures = 0;
  let refusals = 0;
  let notBefore = Number.NEGATIVE_INFINITY;

  const wait = (times: number): number => backoffMs(times - 1, AGAIN, random);

  const fetchToken = async (): Promise<void> => {
    const since = clock.elapsed();
    const answer = await requestToken(client, timeoutMs);
    if (answer.kind === 'failed') {
      failures += 1;
      problem = answer.detail;
      notBefore = clock.elapsed() + wait(failures);
      return;
    }
    failures = 0;
    problem = 'the token has expired, and the next one has not arrived yet';
    held = { token: answer.token, since, ...lifeOf(answer.lifeMs, since) };
  };

  /** One request serves all waiting callers. */
  const renew = (now: number): void => {
    if (fetching !== null || now < notBefore) return;
    fetching = fetchToken().finally(() => {
      fetching = null;
    });
  };

  /**
   * The current token, if there is one. A renewal runs in the background: nobody waits for it, or for its failure.
   */
  const current = (): Held | null => {
    const now = clock.elapsed();
    const due = held === null || now >= held.renewAt;
    // This token lived out its life, so earlier refusals no longer count.
    if (held !== null && due) refusals = 0;
    if (held !== null && now >= held.endsAt) held = null;
    if (due) renew(now);
    return held;
  };

  return {
    async read(call = {}) {
      let token = current();
      if (token === null && fetching !== null) {
        await within(fetching, call);
        token = current();
      }
      return token === null
        ? { kind: 'no-token', detail: `CANTON_OAUTH_TOKEN_URL: ${problem}` }
        : { kind: 'token', token: token.token };
    },
    refused(token) {
      if (held?.token !== token) return;
      refusals += 1;
      // After the first refusal a new token may be fetched at once. If that one is refused too, every one will be:
      // wait.
      if (refusals > 1) notBefore = Math.max(notBefore, held.since + wait(refusals - 1));
      problem = 'the participant refuses the token that it issues';
      held = null;
    },
  };
}

function lifeOf(lifeMs: number | null, since: number): Pick<Held, 'renewAt' | 'endsAt'> {
  if (lifeMs === null) return { renewAt: since + UNTOLD_MS, endsAt: Number.POSITIVE_INFINITY };
  const renewAfter = lifeMs > LEEWAY_MS ? lifeMs - LEEWAY_MS : lifeMs / 2;
  return { renewAt: since + renewAfter, endsAt: since + lifeMs };
}

/** Until the work is done, or the caller's time is up. */
async function within(work: Promise<void>, { timeoutMs, signal }: Partial<CallOptions>): Promise<void> {
  if (timeoutMs === undefined && signal === undefined) return work;
  const done = new AbortController();
  await limited(signal === undefined ? [done.signal] : [done.signal, signal], null, async (stop) => {
    try {
      await Promise.race([work, pause(timeoutMs ?? TIMEOUT_MS, stop)]);
    } finally {
      // While `stop` still listens; otherwise the rest of the pause keeps a timer alive, and with it the process.
      done.abort();
    }
  });
}

export interface OauthClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
}

export type TokenAnswer =
  /** `lifeMs`: null if the answer does not say. */
  | { readonly kind: 'token'; readonly token: string; readonly lifeMs: number | null }
  | { readonly kind: 'failed'; readonly detail: string };

/** A token has about 1,000 characters; anything longer than this is a web page or an attack on our memory. */
const ANSWER_MAX_BYTES = 64 * 1024;
const DETAIL_MAX = 300;

/** Asks as canton-middleware does: JSON, and only a 200 counts. */
export async function requestToken(client: OauthClient, timeoutMs: number): Promise<TokenAnswer> {
  const { tokenUrl, clientId, clientSecret, audience } = client;
  // An authority may echo what it was sent. Shorten only after masking: half a secret would not be recognised.
  const failed = (detail: string): TokenAnswer => ({
    kind: 'failed',
    detail: [clientSecret, encodeURIComponent(clientSecret)]
      .reduce((text, secret) => text.replaceAll(secret, '***'), detail)
      .slice(0, DETAIL_MAX),
  });
  try {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_id: clientId,
        client_secret: clientSecret,
        audience,
        grant_type: 'client_credentials',
      }),
      // The secret goes only where the operator said.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await textUpTo(ANSWER_MAX_BYTES, response);
    if (body === null) return failed(`it answers with more than ${ANSWER_MAX_BYTES} bytes`);
    const answer = objectIn(body);
    if (response.status !== 200) return failed(`it answers ${response.status}${words(answer)}`);
    const token = answer?.access_token;
    if (typeof token !== 'string' || !isToken(token)) return failed('its answer contains no access_token');
    return { kind: 'token', token, lifeMs: lifeIn(answer?.expires_in) };
  } catch (error) {
    return failed(reasonOf(error, timeoutMs));
  }
}

/** The parser's own error is dropped, because it quotes what it read. */
function objectIn(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Seconds, as a number or a string; zero or less means nothing. */
function lifeIn(expiresIn: unknown): number | null {
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
}

/** OAuth's two fields meant for people, and nothing else from the answer. */
function words(answer: Readonly<Record<string, unknown>> | null): string {
  const said = [answer?.error, answer?.error_description].filter((one) => typeof one === 'string').join(': ');
  return said === '' ? '' : `: ${withoutControls(said)}`;
}

/** `fetch failed` says nothing; its cause does, or the last of several causes. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const cause = error.cause instanceof AggregateError ? error.cause.errors.at(-1) : error.cause;
  const reason = cause instanceof Error ? cause.message : error.message;
  return `it cannot be reached: ${reason}`;
}
