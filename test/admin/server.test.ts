import test, { type ExecutionContext } from 'ava';
import { type AdminSources, startAdmin } from '../../src/admin/server.js';
import { ConfigError } from '../../src/core/errors.js';
import { pageSource } from './page-source.js';

const sources = (more: Partial<AdminSources> = {}): AdminSources => ({
  health: () => ({ ready: true, blockers: [] }),
  snapshot: async () => ({ queue: { waiting: { rows: 1, oldestMs: 5 } }, parked: [{ nonce: 2n ** 60n }] }),
  instance: () => ({ id: 'one' }),
  metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'canton_submitter_ready 1\n' },
  page: pageSource(),
  ...more,
});

async function start(t: ExecutionContext, more: Partial<AdminSources> = {}, token: string | null = null) {
  const server = await startAdmin({ host: '127.0.0.1', port: 0, token }, sources(more));
  t.teardown(() => server.close());
  return async (path: string, authorization?: string) => {
    const reply = await fetch(
      `${server.url}${path}`,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() };
  };
}

test('/livez answers, /readyz says why not', async (t) => {
  let ready = true;
  const get = await start(t, {
    health: () =>
      ready ? { ready, blockers: [] } : { ready, blockers: [{ part: 'pins', reason: 'LANES is off here' }] },
  });
  t.is((await get('/livez')).status, 200);
  t.is((await get('/readyz')).status, 200);
  ready = false;
  const reply = await get('/readyz');
  t.is(reply.status, 503);
  t.deepEqual(JSON.parse(reply.text), {
    ready: false,
    reasons: [{ part: 'pins', reason: 'LANES is off here' }],
  });
  t.is((await get('/livez')).status, 200);
});

test('/metrics is the registry’s text', async (t) => {
  const get = await start(t);
  const reply = await get('/metrics');
  t.is(reply.text, 'canton_submitter_ready 1\n');
  t.regex(reply.type ?? '', /^text\/plain; version=0\.0\.4/);
});

test('/status: queue and instance, large numbers unrounded; the instance’s part without the database too', async (t) => {
  let away = false;
  const get = await start(t, {
    snapshot: async () => {
      if (away) throw new Error('connect ECONNREFUSED');
      return { parked: [{ nonce: 2n ** 60n }] };
    },
  });
  const { status, type, text } = await get('/status');
  t.is(status, 200);
  t.regex(type ?? '', /^application\/json/);
  t.deepEqual(JSON.parse(text), {
    ready: true,
    reasons: [],
    instance: { id: 'one' },
    database: { parked: [{ nonce: '1152921504606846976' }] },
  });
  away = true;
  const without = await get('/status');
  t.is(without.status, 200);
  t.like(JSON.parse(without.text), {
    instance: { id: 'one' },
    database: { unavailable: 'connect ECONNREFUSED' },
  });
});

test('what is not there points to what is', async (t) => {
  const get = await start(t);
  const reply = await get('/nothing');
  t.is(reply.status, 404);
  t.regex(reply.text, /\/status/);
});

test('the token guards all but /livez and the files of the page', async (t) => {
  const get = await start(t, {}, 'hush');
  t.is((await get('/livez')).status, 200);
  for (const path of [
    '/readyz',
    '/metrics',
    '/status',
    '/api/live',
    `/api/rows/0x${'0'.repeat(64)}`,
    '/nothing',
  ]) {
    t.is((await get(path)).status, 401, path);
    t.is((await get(path, 'Bearer wrong')).status, 401, path);
    t.is((await get(path, 'hush')).status, 401, path);
    if (path !== '/api/live') t.not((await get(path, 'Bearer hush')).status, 401, path);
  }
});

test('a taken port is a matter of configuration', async (t) => {
  const first = await startAdmin({ host: '127.0.0.1', port: 0, token: null }, sources());
  t.teardown(() => first.close());
  const port = Number(new URL(first.url).port);
  const error = await t.throwsAsync(startAdmin({ host: '127.0.0.1', port, token: null }, sources()), {
    instanceOf: ConfigError,
  });
  t.regex(error?.message ?? '', /ADMIN_ADDRESS 127\.0\.0\.1:\d+ is taken/);
});
