// A setting that is wrong: one message that names it, exit 2 where no waiting helps, and no part of a password anywhere.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { createWorld } from '../support/world.js';
import { cli, start } from './support.js';

const PASSWORDS = ['se/cretword', 'se#cretword', 'se@cretword', 'se?cretword', 'se%cretword'];

test('a password that is not percent-encoded is exit 2 in every command, names its setting, and is not shown', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-wrong-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const TOKENS_FILE = path.join(folder, 'tokens.json');
  writeFileSync(TOKENS_FILE, '{}');
  const commands = [
    ['status'],
    ['migrate'],
    ['migrate', '--repin'],
    ['replay', '--parked'],
    ['enqueue'],
    ['run'],
  ];
  for (const [place, password] of PASSWORDS.entries()) {
    const DATABASE_URL = `postgres://api:${password}@db.internal/api`;
    const command = commands[place] ?? ['status'];
    const { code, stdout, stderr } = await cli(command, { DATABASE_URL, TOKENS_FILE, CHAIN_ID: '1' });
    t.is(code, 2, `${command}: ${stderr}`);
    t.regex(stderr, /DATABASE_URL .*percent-encode/, password);
    t.notRegex(stdout + stderr, /cretword|\bse[/#@?%]|\n +at /, password);
  }
  const listen = await cli(['run'], {
    DATABASE_URL: 'postgres://db/api',
    DATABASE_LISTEN_URL: 'postgres://a:cret/word@db/api',
  });
  t.is(listen.code, 2);
  t.regex(listen.stderr, /DATABASE_LISTEN_URL .*percent-encode/);
  t.notRegex(listen.stderr, /cret\/word/);
  const file = await cli(['status'], {
    DATABASE_URL: 'postgres://a:b@db/api?sslmode=verify-full&sslrootcert=/nowhere/ca.pem',
  });
  t.is(file.code, 2);
  t.regex(file.stderr, /DATABASE_URL: sslrootcert cannot be read: ENOENT/);
  const standby = await cli(['status'], {
    DATABASE_URL: 'postgres://a:b@one,two/api?target_session_attrs=standby',
  });
  t.is(standby.code, 2);
  t.regex(standby.stderr, /DATABASE_URL .*target_session_attrs/);
});

test('run: a participant that wants a token, and a database that is not there: one line each that names the setting', async (t) => {
  const world = await createWorld(t, { token: 'a-token-of-the-sandbox' });
  const { CANTON_TOKEN_FILE: _, ...env } = world.sandbox.env;
  const base = {
    ...env,
    DATABASE_URL: world.db.url,
    ADMIN_ADDRESS: 'off',
    CANTON_USER_ID: 'mempool-submitter',
  };
  const wants = start(['run'], base as Record<string, string>);
  const line = await wants.line((one) => one.includes('it requires a token'));
  t.regex(line, /"msg":"not ready: claiming no rows".*|CANTON_TOKEN_FILE or CANTON_OAUTH_\*/);
  t.regex(line, /CANTON_TOKEN_FILE or CANTON_OAUTH_\*/);
  wants.kill('SIGTERM');
  const { code, stdout } = await wants.ended;
  t.is(code, 0);
  t.is(stdout.split('\n').filter((one) => one.includes('it requires a token')).length, 1);

  const away = start(['run'], {
    ...base,
    DATABASE_URL: 'postgres://api:s3cretword@127.0.0.1:1/api',
  } as Record<string, string>);
  const said = await away.line((one) => one.includes('"msg":"database lost"'));
  t.regex(said, /DATABASE_URL postgres:\/\/api:\*\*\*@127\.0\.0\.1:1\/api: connect ECONNREFUSED/);
  away.kill('SIGTERM');
  t.is((await away.ended).code, 0);
});

test('row-level security: run, status and enqueue refuse, with what to do, and do not show an empty queue', async (t) => {
  const world = await createWorld(t);
  const role = `hidden_${randomInt(1e9)}`;
  await world.db.query(`create role ${role} login password 'unasked';
    grant select, insert, update on all tables in schema public to ${role};
    grant usage on all sequences in schema public to ${role};
    alter table mempool enable row level security; create policy mine on mempool using (from_address = 'me')`);
  t.teardown(async () => void (await world.db.query(`drop owned by ${role}; drop role ${role}`)));
  const url = Object.assign(new URL(world.db.url), { username: role, password: 'unasked' });
  const env = { ...world.sandbox.env, DATABASE_URL: url.href, ADMIN_ADDRESS: 'off', CHAIN_ID: '1' } as Record<
    string,
    string
  >;
  for (const command of [['run'], ['status'], ['enqueue', '0x00']]) {
    const { code, stdout, stderr } = await cli(command, env);
    t.is(code, 2, `${command}: ${stderr}`);
    t.regex(stderr, new RegExp(`table mempool, role ${role}: row-level security hides rows.*BYPASSRLS`));
    t.notRegex(stdout, /waiting +0/);
  }
});
