// The registry client against a real HTTP server: what it asks, what it takes, and that every failure is the token's.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { party } from '../../src/core/ids.js';
import type { TransferTerms } from '../../src/core/transfer.js';
import { registryFactory } from '../../src/ledger/registry.js';

const settings = { synchronizerId: 'sync::1220' };
const TIMEOUT = { timeoutMs: 60_000 };
const terms: TransferTerms = {
  sender: party('alice::1220aa'),
  receiver: party('bob::1220bb'),
  admin: 'registrar::1220cc',
  instrumentId: 'USDCx',
  amount: 12_500_000_000n,
  holdings: ['00c1', '00c2'],
  requestedAt: 1_700_000_000_999_999n,
  executeBefore: 1_700_086_400_000_001n,
};

const good = {
  factoryId: '00fa',
  transferKind: 'direct',
  choiceContext: { choiceContextData: { values: {} }, disclosedContracts: [] },
};

async function registry(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
};

test('one POST, with everything that the standard asks for and no token of ours', async (t) => {
  const asked: { method?: string; url?: string; headers: IncomingMessage['headers']; body: unknown }[] = [];
  const url = await registry(t, async (request, response) => {
    const { method, url: path, headers } = request;
    asked.push({
      ...(method && { method }),
      ...(path && { url: path }),
      headers,
      body: await bodyOf(request),
    });
    json(response, good);
  });
  t.like(await registryFactory(settings, `${url}/base/`, terms, TIMEOUT), {
    kind: 'read',
    value: { kind: 'registry', contractId: '00fa', transferKind: 'direct', disclosed: [] },
  });
  t.is(asked.length, 1);
  const [one] = asked;
  t.is(one?.method, 'POST');
  t.is(
    one?.url,
    '/base/api/token-standard/v0/registrars/registrar%3A%3A1220cc/registry/transfer-instruction/v1/transfer-factory',
  );
  t.is(one?.headers['content-type'], 'application/json');
  t.is(one?.headers.authorization, undefined);
  t.deepEqual(one?.body, {
    choiceArguments: {
      expectedAdmin: 'registrar::1220cc',
      transfer: {
        sender: 'alice::1220aa',
        receiver: 'bob::1220bb',
        amount: '1.25',
        instrumentId: { admin: 'registrar::1220cc', id: 'USDCx' },
        inputHoldingCids: ['00c1', '00c2'],
        meta: { values: {} },
        executeBefore: '2023-11-15T22:13:20Z',
        requestedAt: '2023-11-14T22:13:20Z',
      },
      extraArgs: { context: { values: {} }, meta: { values: {} } },
    },
    excludeDebugFields: false,
  });
});

test('an answer that is not JSON, or never ends, is unreadable, and is not read to its end', async (t) => {
  const html = await registry(t, (_, response) => response.end('<html>'));
  t.like(await registryFactory(settings, html, terms, TIMEOUT), {
    refusal: { errorId: 'REGISTRY_UNREADABLE' },
  });
  let written = 0;
  const endless = await registry(t, (_, response) => {
    const pour = (): void => {
      while (!response.destroyed) {
        written += 65_536;
        if (!response.write(' '.repeat(65_536))) return void response.once('drain', pour);
      }
    };
    pour();
  });
  t.like(await registryFactory(settings, endless, terms, TIMEOUT), {
    refusal: { errorId: 'REGISTRY_UNREADABLE' },
  });
  t.true(written < 64 * 1024 * 1024, `${written}`);
});

test("an answer that is not understood is the token's trouble", async (t) => {
  const url = await registry(t, (_, response) => json(response, { ...good, transferKind: 'escrow' }));
  t.like(await registryFactory(settings, url, terms, TIMEOUT), {
    kind: 'failed-read',
    pruned: false,
    refusal: { kind: 'not-the-row', blame: 'token', errorId: 'REGISTRY_UNREADABLE' },
  });
});

test('only 200 is an answer; what passes by itself is told from what does not', async (t) => {
  for (const [status, errorId] of [
    [201, 'REGISTRY_REFUSED'],
    [400, 'REGISTRY_REFUSED'],
    [404, 'REGISTRY_REFUSED'],
    [429, 'REGISTRY_UNAVAILABLE'],
    [500, 'REGISTRY_UNAVAILABLE'],
    [503, 'REGISTRY_UNAVAILABLE'],
  ] as const) {
    const url = await registry(t, (_, response) => json(response, good, status));
    const read = await registryFactory(settings, url, terms, TIMEOUT);
    t.like(
      read,
      {
        refusal: {
          kind: errorId === 'REGISTRY_REFUSED' ? 'suspect' : 'not-the-row',
          blame: 'token',
          errorId,
          retryAfterMs: null,
        },
      },
      `${status}`,
    );
    if (read.kind === 'failed-read') t.regex(read.refusal.detail, new RegExp(`answered ${status}$`));
  }
  const busy = await registry(t, (_, response) => response.writeHead(503, { 'retry-after': '7' }).end());
  t.like(await registryFactory(settings, busy, terms, TIMEOUT), { refusal: { retryAfterMs: 7_000 } });
});

test("a refusal tells the registry's own words, as far as they are for people", async (t) => {
  const said = async (body: string | Buffer, status = 400) => {
    const url = await registry(t, (_, response) => response.writeHead(status).end(body));
    const read = await registryFactory(settings, url, terms, TIMEOUT);
    return read.kind === 'failed-read' ? read.refusal.detail.replace("the token's registry: ", '') : read;
  };
  t.is(
    await said('{"error":"receiver\\nis\\u001b not enrolled"}'),
    'it answered 400: receiver is  not enrolled',
  );
  t.is(await said('{"message":"busy"}', 503), 'it answered 503: busy');
  t.is(await said('{"error":{"code":7},"message":"paused"}', 403), 'it answered 403: paused');
  t.is(await said(JSON.stringify({ error: 'x'.repeat(300) })), `it answered 400: ${'x'.repeat(200)}`);
  for (const nothing of [
    '',
    '<html>',
    '"text"',
    'null',
    '{"error":7}',
    '{"error":""}',
    JSON.stringify({ error: 'long', more: ' '.repeat(2_048) }),
  ])
    t.is(await said(nothing), 'it answered 400', nothing.slice(0, 20));
  // Nobody waits for the end of a refusal, and it stays one.
  const endless = await registry(t, (_, response) => response.writeHead(403).write('{"error":"'));
  t.like(await registryFactory(settings, endless, terms, { timeoutMs: 300 }), {
    refusal: { errorId: 'REGISTRY_REFUSED', detail: "the token's registry: it answered 403" },
  });
});

test('a registry says for ten minutes at most when to come back: what is between us and it may say a day', async (t) => {
  for (const [header, ms] of [
    ['600', 600_000],
    ['86400', 600_000],
    ['31536000', 600_000],
    ['0', 0],
    ['soon', null],
  ] as const) {
    const url = await registry(t, (_, response) => response.writeHead(503, { 'retry-after': header }).end());
    t.like(await registryFactory(settings, url, terms, TIMEOUT), { refusal: { retryAfterMs: ms } }, header);
  }
});

test('a redirect is followed to nowhere', async (t) => {
  let elsewhere = 0;
  const other = await registry(t, (_, response) => {
    elsewhere += 1;
    json(response, good);
  });
  for (const status of [301, 302, 307, 308]) {
    const url = await registry(t, (_, response) => response.writeHead(status, { location: other }).end());
    t.like(await registryFactory(settings, url, terms, TIMEOUT), {
      refusal: { errorId: 'REGISTRY_REFUSED' },
    });
  }
  t.is(elsewhere, 0);
});

test('a registry that is away, silent or slow is unavailable; a call of ours that ends says nothing of it', async (t) => {
  const away = await registryFactory(settings, 'http://127.0.0.1:1', terms, TIMEOUT);
  t.like(away, { refusal: { errorId: 'REGISTRY_UNAVAILABLE', blame: 'token' } });
  const silent = await registry(t, () => {});
  t.like(await registryFactory(settings, silent, terms, { timeoutMs: 100 }), {
    refusal: { errorId: 'REGISTRY_UNAVAILABLE', detail: "the token's registry: it did not answer in time" },
  });
  const slow = await registry(t, (_, response) => response.writeHead(200).write('{'));
  t.like(await registryFactory(settings, slow, terms, { timeoutMs: 100 }), {
    refusal: { errorId: 'REGISTRY_UNAVAILABLE' },
  });
  const abort = new AbortController();
  const url = await registry(t, () => abort.abort());
  t.like(await registryFactory(settings, url, terms, { ...TIMEOUT, signal: abort.signal }), {
    refusal: { kind: 'try-again', blame: 'sender', errorId: 'CALL_ABORTED' },
  });
});

test('a password in the URL is in no message', async (t) => {
  for (const url of ['http://user:secret@127.0.0.1:1', 'no url with secret']) {
    const read = await registryFactory(settings, url, terms, TIMEOUT);
    if (read.kind !== 'failed-read') return t.fail(url);
    t.is(read.refusal.errorId, 'REGISTRY_UNAVAILABLE');
    t.false(read.refusal.detail.includes('secret'));
  }
});
