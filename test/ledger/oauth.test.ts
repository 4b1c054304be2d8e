import { type AddressInfo, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { TokenSource } from '../../src/ledger/auth.js';
import { type OauthOptions, oauthTokens } from '../../src/ledger/oauth.js';
import {
  eventually,
  formOnly,
  grant,
  handClock,
  type OauthServer,
  type Reply,
  SECRET,
  startOauth,
} from '../support/oauth.js';

const SECOND = 1_000;

async function setup(t: ExecutionContext, reply: OauthServer['reply'], options: OauthOptions = {}) {
  const server = await startOauth(t, reply);
  const clock = handClock();
  // No jitter: the longest of each wait.
  const tokens = oauthTokens(server.client, { clock, random: () => 1, ...options });
  return { server, clock, tokens };
}

async function tokenOf(tokens: TokenSource): Promise<string | null> {
  const read = await tokens.read();
  return read.kind === 'token' ? read.token : `none: ${read.detail}`;
}

const numbered: OauthServer['reply'] = (_, count) => grant(`token-${count}`, 3_600);

/** A renewal goes on in the background: until its token is the one that is given. */
const becomes = (tokens: TokenSource, token: string): Promise<void> =>
  eventually(token, async () => (await tokenOf(tokens)) === token);

test('it asks as canton-middleware does', async (t) => {
  const { server, tokens } = await setup(t, numbered);
  t.is(await tokenOf(tokens), 'token-1');
  const [request] = server.requests;
  t.is(request?.method, 'POST');
  t.is(request?.path, '/oauth/token');
  t.is(request?.headers['content-type'], 'application/json');
  t.deepEqual(JSON.parse(request?.body ?? ''), {
    client_id: 'submitter',
    client_secret: SECRET,
    audience: 'https://canton.example',
    grant_type: 'client_credentials',
  });
});

for (const status of [400, 415] as const) {
  test(`an authority that refuses JSON with ${status} is asked with a form at once, and from then on at first`, async (t) => {
    const { server, clock, tokens } = await setup(t, formOnly(status, numbered));
    t.is(await tokenOf(tokens), 'token-2');
    const [json, form] = server.requests;
    t.is(json?.headers['content-type'], 'application/json');
    t.is(form?.headers['content-type'], 'application/x-www-form-urlencoded');
    t.deepEqual(Object.fromEntries(new URLSearchParams(form?.body)), {
      client_id: 'submitter',
      client_secret: SECRET,
      audience: 'https://canton.example',
      grant_type: 'client_credentials',
    });
    clock.advance(3_600 * SECOND);
    t.is(await tokenOf(tokens), 'token-3');
    // The authority is another one now, which reads JSON alone.
    server.reply = (request, count) =>
      request.headers['content-type'] === 'application/json'
        ? grant(`token-${count}`, 3_600)
        : { status, body: '' };
    clock.advance(3_600 * SECOND);
    t.is(await tokenOf(tokens), 'token-5');
  });
}

test('any other refusal is not about the form, and is not asked again', async (t) => {
  for (const status of [401, 403, 404, 429, 500]) {
    const { server, tokens } = await setup(t, () => ({ status, body: '' }));
    t.regex((await tokenOf(tokens)) ?? '', new RegExp(`it answers ${status}`));
    t.is(server.requests.length, 1, `${status}`);
  }
});

test('a scope is asked for where one is set, in either form', async (t) => {
  const server = await startOauth(t, formOnly(400, numbered));
  const scope = 'api://canton/.default offline';
  t.is(await tokenOf(oauthTokens({ ...server.client, scope })), 'token-2');
  const [json, form] = server.requests;
  t.is(JSON.parse(json?.body ?? '').scope, scope);
  t.is(new URLSearchParams(form?.body).get('scope'), scope);
});

test('what an authority says to either form is told, once if it is the same', async (t) => {
  const { tokens } = await setup(
    t,
    formOnly(400, () => ({ status: 401, body: '{"error":"unauthorized_client"}' })),
  );
  t.regex(
    (await tokenOf(tokens)) ?? '',
    /it answers 400: invalid_request: Missing form parameter: grant_type; to a form, it answers 401: unauthorized_client: check CANTON_OAUTH_CLIENT_ID/,
  );
  const same = await setup(t, () => ({ status: 400, body: '{"error":"invalid_scope"}' }));
  t.regex((await tokenOf(same.tokens)) ?? '', /: it answers 400: invalid_scope: check [^;]*; [^;]*$/);
  t.is(same.server.requests.length, 2);
});

test('a secret is masked as a form writes it, too', async (t) => {
  const server = await startOauth(
    t,
    formOnly(400, ({ body }) => ({
      status: 400,
      body: JSON.stringify({ error: 'invalid_request', error_description: `cannot read ${body}` }),
    })),
  );
  const detail = (await tokenOf(oauthTokens({ ...server.client, clientSecret: "cl1ent's secret" }))) ?? '';
  t.regex(detail, /client_secret=\*\*\*&/);
  t.notRegex(detail, /cl1ent/);
});

test('a burst of reads makes one request, and later ones none', async (t) => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { server, tokens } = await setup(t, async (_, count) => {
    await gate;
    return grant(`token-${count}`, 3_600);
  });
  const reads = Array.from({ length: 50 }, () => tokenOf(tokens));
  await eventually('it was asked', () => server.requests.length > 0);
  reads.push(...Array.from({ length: 50 }, () => tokenOf(tokens)));
  open();
  t.deepEqual(new Set(await Promise.all(reads)), new Set(['token-1']));
  t.is(await tokenOf(tokens), 'token-1');
  t.is(server.requests.length, 1);
});

for (const [expiresIn, seconds] of [
  [3_600, 3_540],
  ['3600', 3_540],
  [61, 1],
  // Less than the minute of leeway: half of it.
  [60, 30],
  [10, 5],
  // No word of it: five minutes.
  [undefined, 300],
  [0, 300],
  [-5, 300],
  ['soon', 300],
  [null, 300],
] as const) {
  test(`expires_in ${JSON.stringify(expiresIn)}: renewed after ${seconds} s, while the old token is still given`, async (t) => {
    const { server, clock, tokens } = await setup(t, (_, count) => grant(`token-${count}`, expiresIn));
    t.is(await tokenOf(tokens), 'token-1');
    clock.advance(seconds * SECOND - 1);
    t.is(await tokenOf(tokens), 'token-1');
    // Whatever that read had begun would be here by now.
    await fetch(server.client.tokenUrl, { method: 'HEAD' });
    t.is(server.requests.filter(({ method }) => method === 'POST').length, 1);
    clock.advance(1);
    t.is(await tokenOf(tokens), 'token-1');
    await becomes(tokens, 'token-3');
    t.is(server.requests.filter(({ method }) => method === 'POST').length, 2);
  });
}

test('a renewal that fails leaves the old token in use until it has really ended, and says why after that', async (t) => {
  const { server, clock, tokens } = await setup(t, numbered);
  const ends = clock.elapsed() + 3_600 * SECOND;
  t.is(await tokenOf(tokens), 'token-1');
  server.reply = () => ({ status: 503, body: 'away' });
  clock.advance(3_550 * SECOND);
  t.is(await tokenOf(tokens), 'token-1');
  await eventually('it tries again', async () => {
    clock.advance(50);
    t.is(await tokenOf(tokens), 'token-1');
    return server.requests.length === 3;
  });
  clock.advance(ends - 1 - clock.elapsed());
  t.is(await tokenOf(tokens), 'token-1');
  clock.advance(1);
  t.is(await tokenOf(tokens), 'none: CANTON_OAUTH_TOKEN_URL: it answers 503');
  server.reply = numbered;
  clock.advance(30 * SECOND);
  t.regex((await tokenOf(tokens)) ?? '', /^token-/);
});

test('failed requests come further and further apart, whoever asks how often', async (t) => {
  const { server, clock, tokens } = await setup(t, () => ({ status: 500, body: '' }));
  const none = 'none: CANTON_OAUTH_TOKEN_URL: it answers 500';
  t.is(await tokenOf(tokens), none);
  for (const [index, seconds] of [1, 2, 4, 8, 16, 30, 30, 30].entries()) {
    t.is(server.requests.length, index + 1);
    clock.advance(seconds * SECOND - 1);
    const burst = await Promise.all(Array.from({ length: 20 }, () => tokenOf(tokens)));
    t.deepEqual(new Set(burst), new Set([none]));
    t.is(server.requests.length, index + 1, `before ${seconds} s`);
    clock.advance(1);
    t.is(await tokenOf(tokens), none);
  }
  server.reply = numbered;
  clock.advance(30 * SECOND);
  t.is(await tokenOf(tokens), 'token-10');
});

test('only the token that was refused is dropped: a burst of late refusals costs one request', async (t) => {
  const { server, tokens } = await setup(t, numbered);
  t.is(await tokenOf(tokens), 'token-1');
  tokens.refused('token-0');
  t.is(await tokenOf(tokens), 'token-1');
  t.is(server.requests.length, 1);
  const after = Array.from({ length: 30 }, () => {
    tokens.refused('token-1');
    return tokenOf(tokens);
  });
  t.deepEqual(new Set(await Promise.all(after)), new Set(['token-2']));
  for (let late = 0; late < 30; late++) tokens.refused('token-1');
  t.is(await tokenOf(tokens), 'token-2');
  t.is(server.requests.length, 2);
});

test('a participant that refuses every token does not make us hammer the authority', async (t) => {
  const { server, clock, tokens } = await setup(t, numbered);
  t.is(await tokenOf(tokens), 'token-1');
  tokens.refused('token-1');
  t.is(await tokenOf(tokens), 'token-2');
  for (const [index, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
    tokens.refused(`token-${index + 2}`);
    t.regex((await tokenOf(tokens)) ?? '', /^none: .*the participant refuses the token/);
    clock.advance(seconds * SECOND - 1);
    t.regex((await tokenOf(tokens)) ?? '', /^none/, `before ${seconds} s`);
    t.is(server.requests.length, index + 2);
    clock.advance(1);
    t.is(await tokenOf(tokens), `token-${index + 3}`);
  }
  // One that served its time is taken for good: the next refusal is a first one again.
  clock.advance(3_550 * SECOND);
  await becomes(tokens, 'token-10');
  tokens.refused('token-10');
  t.is(await tokenOf(tokens), 'token-11');
});

test('nobody waits longer than he said, and the request goes on for the others', async (t) => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { server, tokens } = await setup(t, async () => {
    await gate;
    return grant('token-1', 3_600);
  });
  t.like(await tokens.read({ timeoutMs: 0 }), { kind: 'no-token' });
  t.like(await tokens.read({ timeoutMs: 20 }), { kind: 'no-token' });
  const given = new AbortController();
  const aborted = tokens.read({ timeoutMs: 60_000, signal: given.signal });
  const patient = tokens.read({ timeoutMs: 60_000, signal: new AbortController().signal });
  given.abort();
  t.like(await aborted, { kind: 'no-token' });
  open();
  t.deepEqual(await patient, { kind: 'token', token: 'token-1' });
  t.deepEqual(await tokens.read({ timeoutMs: 0 }), { kind: 'token', token: 'token-1' });
  t.is(server.requests.length, 1);
});

// Alone: it looks at the timers of this process.
test.serial(
  'a wait that is over leaves no timer behind, which would keep the process for the rest of it',
  async (t) => {
    const { tokens } = await setup(t, numbered);
    const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const before = timers();
    t.like(await tokens.read({ timeoutMs: 3_600_000 }), { kind: 'token' });
    t.is(timers(), before);
  },
);

test('an authority that hears and never answers is given up', async (t) => {
  const { tokens } = await setup(t, () => 'never', { timeoutMs: 50 });
  t.is(await tokenOf(tokens), 'none: CANTON_OAUTH_TOKEN_URL: no answer within 50 ms');
});

test('an answer without end is cut off', async (t) => {
  const { server, tokens } = await setup(t, () => ({ body: 'endless' }));
  t.is(await tokenOf(tokens), 'none: CANTON_OAUTH_TOKEN_URL: it answers with more than 65536 bytes');
  // The connection went with it, or the server would write on.
  await server.answered(1);
});

test('the secret goes nowhere but where it was sent to', async (t) => {
  const elsewhere = await startOauth(t, numbered);
  for (const status of [301, 302, 303, 307, 308]) {
    const { tokens } = await setup(t, () => ({
      status,
      headers: { location: elsewhere.client.tokenUrl },
      body: '',
    }));
    t.regex((await tokenOf(tokens)) ?? '', /^none: .*redirect/);
  }
  t.is(elsewhere.requests.length, 0);
});

const FAILURES: readonly (readonly [string, Reply, RegExp])[] = [
  [
    'an OAuth error that repeats the secret',
    {
      status: 401,
      body: JSON.stringify({
        error: 'invalid_client',
        error_description: `client submitter:${SECRET} (${encodeURIComponent(SECRET)})\nis unknown`,
        client_secret: SECRET,
      }),
    },
    /it answers 401: invalid_client: client submitter:\*\*\* \(\*\*\*\) is unknown: check CANTON_OAUTH_CLIENT_ID/,
  ],
  [
    'a secret where the text is cut',
    { status: 400, body: JSON.stringify({ error: `${'x'.repeat(290)}${SECRET}` }) },
    /it answers 400: x{200}/,
  ],
  ['a page', { status: 502, body: `<html>${SECRET}</html>` }, /it answers 502$/],
  ['no JSON', { body: `{"access_token": ${SECRET}` }, /its answer contains no access_token$/],
  ['a text', { body: JSON.stringify(SECRET) }, /its answer contains no access_token$/],
  ['nothing', { body: '' }, /its answer contains no access_token$/],
  [
    'an error with a 200',
    { body: '{"error": "invalid_scope", "error_description": "no\\nsuch scope"}' },
    /its answer contains no access_token: invalid_scope: no such scope: check .*CANTON_OAUTH_SCOPE.*CANTON_TOKEN_FILE$/,
  ],
  ['no token', { body: '{"expires_in": 3600}' }, /its answer contains no access_token$/],
  [
    'a token that does not fit into a header',
    { body: '{"access_token": "a b"}' },
    /its answer contains no access_token$/,
  ],
  ['a token with another status', { status: 201, body: grant('token').body }, /it answers 201$/],
];

test('every failure says what is wrong, and never the secret', async (t) => {
  for (const [what, reply, said] of FAILURES) {
    const { tokens } = await setup(t, () => reply);
    const detail = (await tokenOf(tokens)) ?? '';
    t.regex(detail, said, what);
    t.false(/cl1ent|with(=|%3D)signs/.test(detail), what);
  }
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  const { server } = await setup(t, numbered);
  const client = { ...server.client, tokenUrl: `http://127.0.0.1:${port}/oauth/token` };
  t.regex(
    (await tokenOf(oauthTokens(client))) ?? '',
    /it cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+$/,
  );
});
