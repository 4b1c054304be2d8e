// Tokens by OAuth2 client credentials: fetched when needed, renewed before they expire, one request at a time.

import { withoutControls } from '../core/words.js';
import type { Clock } from '../ports/clock.js';
import type { CallOptions } from '../ports/ledger.js';
import { backoffMs } from '../protocol/backoff.js';
import { monotonic } from '../runtime/clock.js';
import { limited } from '../runtime/limit.js';
import { sleep } from '../runtime/timers.js';
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
  /** The one that was served last. */
  let encoding: Encoding = 'json';
  let problem = 'no token has been fetched yet';
  /** Failed requests in a row, and tokens in a row that the participant refused. */
  let failures = 0;
  let refusals = 0;
  let notBefore = Number.NEGATIVE_INFINITY;

  const wait = (times: number): number => backoffMs(times - 1, AGAIN, random);

  const fetchToken = async (): Promise<void> => {
    const since = clock.elapsed();
    const answer = await requestToken(client, timeoutMs, encoding);
    if (answer.kind === 'failed') {
      failures += 1;
      problem = answer.detail;
      notBefore = clock.elapsed() + wait(failures);
      return;
    }
    failures = 0;
    encoding = answer.encoding;
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
      await Promise.race([work, sleep(timeoutMs ?? TIMEOUT_MS, stop)]);
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
  /** Entra and Okta issue nothing without one. */
  readonly scope?: string;
}

/** How the request is written: as canton-middleware does (Auth0 reads both), or as RFC 6749 says. */
type Encoding = 'json' | 'form';

/** `status`: of HTTP, 0 where no answer came that the settings could be to blame for. */
type Refused = { readonly kind: 'refused'; readonly status: number; readonly said: string };
type Granted = {
  readonly kind: 'token';
  readonly token: string;
  /** Null if the answer does not say. */
  readonly lifeMs: number | null;
  readonly encoding: Encoding;
};
type TokenAnswer = Granted | { readonly kind: 'failed'; readonly detail: string };

/** A token has about 1,000 characters; anything longer than this is a web page or an attack on our memory. */
const ANSWER_MAX_BYTES = 64 * 1024;
const SAID_MAX = 300;

/** Keycloak, Okta, Entra and others answer JSON with one of these; but it may also be about what we ask for. */
const MAY_BE_THE_ENCODING: ReadonlySet<number> = new Set([400, 415]);
const MAY_BE_SETTINGS: ReadonlySet<number> = new Set([200, 400, 401, 403, 415]);
const ADVICE =
  'check CANTON_OAUTH_CLIENT_ID, its secret, its audience and CANTON_OAUTH_SCOPE; for any other flow, let something else renew a token in CANTON_TOKEN_FILE';

/** Only a 200 counts. `first` is the encoding that was served before; the other one is tried once if it is refused. */
export async function requestToken(
  client: OauthClient,
  timeoutMs: number,
  first: Encoding = 'json',
): Promise<TokenAnswer> {
  const answer = await ask(client, first, timeoutMs);
  if (answer.kind === 'token' || !MAY_BE_THE_ENCODING.has(answer.status)) return advised(answer);
  const second = first === 'json' ? 'form' : 'json';
  const other = await ask(client, second, timeoutMs);
  if (other.kind === 'token' || other.said === answer.said) return advised(other);
  // Either may be the one that says what is wrong.
  return advised({
    ...answer,
    said: `${answer.said}; to ${second === 'form' ? 'a form' : 'JSON'}, ${other.said}`,
  });
}

function advised(answer: Granted | Refused): TokenAnswer {
  if (answer.kind === 'token') return answer;
  const { said, status } = answer;
  return { kind: 'failed', detail: MAY_BE_SETTINGS.has(status) ? `${said}: ${ADVICE}` : said };
}

const formEncoded = (fields: Readonly<Record<string, string>>): string =>
  new URLSearchParams(fields).toString();

async function ask(
  { tokenUrl, clientId, clientSecret, audience, scope }: OauthClient,
  encoding: Encoding,
  timeoutMs: number,
): Promise<Granted | Refused> {
  const fields = {
    client_id: clientId,
    client_secret: clientSecret,
    audience,
    ...(scope === undefined ? {} : { scope }),
    grant_type: 'client_credentials',
  };
  // An authority may echo what it was sent. Shorten only after masking: half a secret would not be recognised.
  const refused = (said: string, status = 0): Refused => ({
    kind: 'refused',
    status,
    said: [clientSecret, encodeURIComponent(clientSecret), formEncoded({ '': clientSecret }).slice(1)]
      .reduce((text, secret) => text.replaceAll(secret, '***'), said)
      .slice(0, SAID_MAX),
  });
  try {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        'content-type': encoding === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: encoding === 'json' ? JSON.stringify(fields) : formEncoded(fields),
      // The secret goes only where the operator said.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await textUpTo(ANSWER_MAX_BYTES, response);
    if (body === null) return refused(`it answers with more than ${ANSWER_MAX_BYTES} bytes`);
    const answer = objectIn(body);
    const words = wordsIn(answer);
    if (response.status !== 200) return refused(`it answers ${response.status}${words}`, response.status);
    const token = answer?.access_token;
    if (typeof token !== 'string' || !isToken(token))
      return refused(`its answer contains no access_token${words}`, words === '' ? 0 : 200);
    return { kind: 'token', token, lifeMs: lifeIn(answer?.expires_in), encoding };
  } catch (error) {
    return refused(reasonOf(error, timeoutMs));
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
function wordsIn(answer: Readonly<Record<string, unknown>> | null): string {
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
