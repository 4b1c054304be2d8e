import test, { type ExecutionContext } from 'ava';
import { readPageFiles } from '../../src/admin/page/files.js';
import { createLive, type LiveSource } from '../../src/admin/page/live.js';
import { startAdmin } from '../../src/admin/server.js';
import type { PageSource } from '../../src/observe/page.js';
import { pageSource, pageState } from './page-source.js';

async function start(t: ExecutionContext, more: Partial<PageSource> = {}, token: string | null = null) {
  const server = await startAdmin(
    { host: '127.0.0.1', port: 0, token },
    {
      health: () => ({ ready: true, blockers: [] }),
      snapshot: async () => ({}),
      instance: () => ({}),
      metrics: { contentType: 'text/plain', text: async () => '' },
      page: pageSource(more),
    },
  );
  t.teardown(() => server.close());
  return server.url;
}

test('the page weighs less than 100 kB in all, and names no other host', (t) => {
  const files = [...readPageFiles().values()];
  const bytes = files.reduce((sum, { body }) => sum + body.length, 0);
  t.true(bytes < 100_000, `${bytes}`);
  for (const [path, { body }] of readPageFiles())
    if (!path.includes('uplot')) t.notRegex(body.toString(), /https?:\/\//, path);
});

test('whatever the page names is served, nothing inline and nothing from elsewhere, without a token too', async (t) => {
  const url = await start(t, {}, 'hush');
  const index = await fetch(url);
  const html = await index.text();
  const policy = index.headers.get('content-security-policy') ?? '';
  t.regex(policy, /default-src 'none'/);
  t.notRegex(policy, /unsafe|https?:/);
  t.notRegex(html, /<script(?![^>]*src=)|<style| on\w+=| style=/);
  const named = [...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path = '']) => path);
  const modules = [...readPageFiles()].flatMap(([path, { body }]) =>
    path.endsWith('.js') && !path.includes('uplot')
      ? [...body.toString().matchAll(/from '\.\/([\w.]+)'/g)].map(([, name = '']) => `/page/${name}`)
      : [],
  );
  t.true(named.length > 3 && modules.length > 3);
  for (const path of new Set([...named, ...modules])) {
    const reply = await fetch(`${url}${path}`);
    t.is(reply.status, 200, path);
    t.regex(reply.headers.get('content-type') ?? '', /^text\/(html|css|javascript); charset=utf-8$/, path);
    await reply.arrayBuffer();
  }
});

test('a viewer gets everything at once, and from then on what has changed', async (t) => {
  let level: 'fine' | 'person' = 'fine';
  const asked = { state: 0, lists: 0, history: 0 };
  const source: LiveSource = {
    state: async () => {
      asked.state += 1;
      return pageState({ level });
    },
    lists: async () => ({ parked: [], failed: [] }),
    history: async () => {
      throw new Error('the database is away');
    },
  };
  const live = createLive(source, 5);
  t.teardown(() => live.stop());
  const first = live.view();
  const topics = reading(first ?? []);
  t.deepEqual([(await topics.next()).value, (await topics.next()).value].sort(), ['lists', 'state fine']);
  level = 'person';
  t.is((await topics.next()).value, 'state person');
  // Whoever comes later sees the same, without another question.
  const second = reading(live.view() ?? []);
  t.deepEqual([(await second.next()).value, (await second.next()).value].sort(), ['lists', 'state person']);
});

async function* reading(stream: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<string> {
  for await (const chunk of stream) {
    for (const [, topic = '', data = ''] of chunk.toString().matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
      const { level } = JSON.parse(data) as { level?: string };
      yield level === undefined ? topic : `${topic} ${level}`;
    }
  }
}

test('GET /api/live streams events, GET /api/rows tells the story of a hash', async (t) => {
  const url = await start(t, {
    story: async (hash) =>
      hash.endsWith('1') ? { kind: 'gone', story: [], next: 'Nothing.' } : { kind: 'unknown' },
  });
  const stop = new AbortController();
  const stream = await fetch(`${url}/api/live`, { signal: stop.signal });
  t.is(stream.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const { value } = (await stream.body?.getReader().read()) ?? {};
  t.regex(Buffer.from(value ?? []).toString(), /^retry: /);
  stop.abort();
  const row = async (hash: string) => {
    const reply = await fetch(`${url}/api/rows/${hash}`);
    return [reply.status, await reply.json()];
  };
  t.deepEqual(await row(`0x${'0'.repeat(63)}1`), [200, { kind: 'gone', story: [], next: 'Nothing.' }]);
  t.deepEqual(await row(`0x${'AB'.repeat(32)}`), [404, { kind: 'unknown' }]);
  t.is((await row('0x12'))[0], 400);
});

test('what a person does needs the token, the page itself, a name and a reason; without a token there is nothing to do', async (t) => {
  const asked: unknown[] = [];
  const act = async (...all: unknown[]) => {
    asked.push(all);
    return { done: all[0] !== NOT, what: 'done, or why not' };
  };
  const acts = { replay: act, pause: act, resume: act };
  const url = await start(t, { acts }, 'hush');
  const post = async (path: string, body: object, more: Record<string, string> = {}, at = url) => {
    const headers = { authorization: 'Bearer hush', 'content-type': 'application/json', ...more };
    const reply = await fetch(`${at}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return [reply.status, (await reply.json()) as { error?: string; what?: string }] as const;
  };
  const doing = { by: 'Jane', reason: 'the cause is gone' };
  const all = { what: { scope: 'all' }, ...doing };
  t.deepEqual(await post('replay', { hash: HASH, ...doing }), [200, { what: 'done, or why not' }]);
  t.deepEqual(await post('replay', { hash: NOT, ...doing }), [409, { what: 'done, or why not' }]);
  t.is((await post('pause', all))[0], 200);
  t.is(
    (await post('resume', { what: { scope: 'token', address: `0x${'AB'.repeat(20)}` }, ...doing }))[0],
    200,
  );
  t.deepEqual(asked, [
    [HASH, doing],
    [NOT, doing],
    [{ scope: 'all' }, doing],
    [{ scope: 'token', address: `0x${'AB'.repeat(20)}` }, doing],
  ]);

  t.is((await post('pause', all, { authorization: 'Bearer wrong' }))[0], 401);
  t.is((await post('pause', all, { authorization: '' }))[0], 401);
  t.is((await post('pause', all, { 'sec-fetch-site': 'cross-site' }))[0], 403);
  t.is((await post('pause', all, { 'sec-fetch-site': 'same-origin' }))[0], 200);
  t.is((await post('pause', { what: { scope: 'all' } }))[0], 400, 'nobody, for no reason');
  t.is((await post('pause', { ...all, by: ' ' }))[0], 400);
  t.is((await post('pause', { ...all, what: { scope: 'sender' } }))[0], 400);
  t.is((await post('replay', { hash: '0x12', ...doing }))[0], 400);
  const open = await start(t);
  const [code, { error }] = await post('pause', all, {}, open);
  t.is(code, 403);
  t.regex(error ?? '', /set ADMIN_TOKEN/);
  t.is(asked.length, 5);
});

const HASH = `0x${'1'.repeat(64)}`;
const NOT = `0x${'2'.repeat(64)}`;
