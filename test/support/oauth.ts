// An OAuth2 token endpoint over real HTTP, that answers as a test says.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OauthClient } from '../../src/ledger/oauth.js';
import { HANG_MS } from './time.js';

interface Teardown {
  teardown(fn: () => Promise<void> | void): void;
}

export interface TokenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An endless one: chunks until the other side has had enough. */
  readonly body: string | 'endless';
}

export interface OauthServer {
  readonly client: OauthClient;
  readonly requests: readonly TokenRequest[];
  /** From the next request on. `never`: it is heard, and gets no answer. */
  reply: (request: TokenRequest, count: number) => Reply | Promise<Reply> | 'never';
  /** Resolves when so many requests have been answered, or had their answer cut off. */
  answered(count: number): Promise<void>;
}

export const SECRET = 'cl1ent/secret+with=signs';

/** A token as an authority gives it, for so many seconds; by default it does not say for how long. */
export const grant = (token: string, expiresIn?: unknown): Reply => ({
  body: JSON.stringify({
    access_token: token,
    token_type: 'Bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  }),
});

/** As Keycloak, Okta and Entra: they read the form of RFC 6749, and refuse JSON as if nothing were in it. */
export const formOnly =
  (status: 400 | 415, reply: OauthServer['reply']): OauthServer['reply'] =>
  (request, count) =>
    request.headers['content-type'] === 'application/x-www-form-urlencoded'
      ? reply(request, count)
      : {
          status,
          body: JSON.stringify({
            error: 'invalid_request',
            error_description: 'Missing form parameter: grant_type',
          }),
        };

export const jwt = (payload: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;

export async function startOauth(t: Teardown, reply: OauthServer['reply']): Promise<OauthServer> {
  const requests: TokenRequest[] = [];
  const waiting = new Set<() => void>();
  let ended = 0;
  const server = createServer((message, response) => {
    response.on('close', () => {
      ended += 1;
      for (const look of [...waiting]) look();
    });
    void serve(message, response);
  });
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = message;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const answer = await oauth.reply(request, requests.length);
    if (answer === 'never') return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    if (answer.body !== 'endless') return void response.end(answer.body);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const oauth: OauthServer = {
    client: {
      tokenUrl: `http://127.0.0.1:${port}/oauth/token`,
      clientId: 'submitter',
      clientSecret: SECRET,
      audience: 'https://canton.example',
    },
    requests,
    reply,
    answered: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (ended < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
  return oauth;
}

/** A clock that goes when it is told to. */
export function handClock(): { elapsed(): number; advance(ms: number): void } {
  let now = 1_000;
  return {
    elapsed: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

/** Looks again and again, until it holds. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + HANG_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${HANG_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
