// Tokens by OAuth2 client credentials: fetched when needed, renewed ahead of their end, never twice at once.

import type { Clock } from '../ports/clock.js';
import type { CallOptions } from '../ports/ledger.js';
import { backoffMs } from '../protocol/backoff.js';
import { monotonic } from '../runtime/clock.js';
import { limited } from '../runtime/limit.js';
import { pause } from '../runtime/timers.js';
import type { TokenSource } from './auth.js';
import { type OauthClient, requestToken } from './token-request.js';

export interface OauthOptions {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** For one HTTP call, answer included. */
  readonly timeoutMs?: number;
}

/** All as canton-middleware has it: a token is renewed a minute before its end, or half-way through a shorter life. */
const LEEWAY_MS = 60_000;
/** Of a token whose life nobody told: renewed after this, and used until the participant refuses it. */
const UNTOLD_MS = 300_000;
const TIMEOUT_MS = 10_000;
/** Between requests that brought nothing: an authority that is down, or our fault, must not be hammered. */
const AGAIN = { minMs: 1_000, maxMs: 30_000 };

interface Held {
  readonly token: string;
  /** From when it was asked for: it cannot have begun earlier. */
  readonly since: number;
  readonly renewAt: number;
  readonly endsAt: number;
}

export function oauthTokens(client: OauthClient, options: OauthOptions = {}): TokenSource {
  const { clock = monotonic, random = Math.random, timeoutMs = TIMEOUT_MS } = options;
  let held: Held | null = null;
  let fetching: Promise<void> | null = null;
  let problem = 'no token was fetched yet';
  /** Requests in a row that failed; tokens in a row that the participant would not have. */
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
    problem = 'the token has ended, and the next one is still awaited';
    held = { token: answer.token, since, ...lifeOf(answer.lifeMs, since) };
  };

  /** One request serves everybody who waits. */
  const renew = (now: number): void => {
    if (fetching !== null || now < notBefore) return;
    fetching = fetchToken().finally(() => {
      fetching = null;
    });
  };

  /** The token of now, where there is one. A renewal goes on beside it: nobody waits for it, or for its failure. */
  const current = (): Held | null => {
    const now = clock.elapsed();
    const due = held === null || now >= held.renewAt;
    // It has served its time: what the participant refused before it is forgiven.
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
      // The first time the next one may come at once. A participant that refuses the next one too refuses all of them.
      if (refusals > 1) notBefore = Math.max(notBefore, held.since + wait(refusals - 1));
      problem = 'the participant refuses the token that it gives';
      held = null;
    },
  };
}

function lifeOf(lifeMs: number | null, since: number): Pick<Held, 'renewAt' | 'endsAt'> {
  if (lifeMs === null) return { renewAt: since + UNTOLD_MS, endsAt: Number.POSITIVE_INFINITY };
  const renewAfter = lifeMs > LEEWAY_MS ? lifeMs - LEEWAY_MS : lifeMs / 2;
  return { renewAt: since + renewAfter, endsAt: since + lifeMs };
}

/** Until it is done, or the caller's time is over. */
async function within(work: Promise<void>, { timeoutMs, signal }: Partial<CallOptions>): Promise<void> {
  if (timeoutMs === undefined && signal === undefined) return work;
  const done = new AbortController();
  await limited(signal === undefined ? [done.signal] : [done.signal, signal], null, async (stop) => {
    try {
      await Promise.race([work, pause(timeoutMs ?? TIMEOUT_MS, stop)]);
    } finally {
      // While `stop` still hears it: else the rest of the pause keeps a timer, and with it the process.
      done.abort();
    }
  });
}
