import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { encodeFunctionData, erc20Abi, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { misuse } from '../../src/cli/replay/flags.js';
import { whoRuns } from '../../src/cli/support/who.js';
import type { TxHash } from '../../src/core/ids.js';
import { freshDatabase, migratedDatabase } from '../support/postgres.js';
import { cli, start } from './support.js';

const DEMO = '0xDE30000000000000000000000000000000000002';
const PARTY = `issuer::1220${'ab'.repeat(32)}`;
const token = {
  name: 'Prompt',
  symbol: 'PROMPT',
  decimals: 18,
  instrumentAdmin: PARTY,
  instrumentId: 'PROMPT',
};
const account = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const RECIPIENT = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

async function setup(t: ExecutionContext) {
  const db = await migratedDatabase(t);
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const TOKENS_FILE = path.join(folder, 'tokens.json');
  writeFileSync(TOKENS_FILE, JSON.stringify({ [DEMO]: token }));
  return { db, folder, env: { DATABASE_URL: db.url, TOKENS_FILE, CHAIN_ID: '31337' } };
}

const sign = (nonce: number, to: `0x${string}` = DEMO) =>
  account.signTransaction({
    type: 'eip1559',
    chainId: 31337,
    to,
    nonce,
    gas: 21_000n,
    maxFeePerGas: 1n,
    data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [RECIPIENT, 5n] }),
  });

test('enqueue: good ones go in, bad ones are refused with their reason, known ones stay; then status and replay', async (t) => {
  const { db, env } = await setup(t);
  const [first, second, bad] = await Promise.all([sign(0), sign(1), sign(2, RECIPIENT)]);
  const mixed = await cli(['enqueue'], env, `${first}\n\n${bad}\n${second}\n`);
  t.is(mixed.code, 3);
  t.deepEqual(
    mixed.stdout.trim().split('\n').sort(),
    [`${keccak256(first)} inserted`, `${keccak256(second)} inserted`].sort(),
  );
  t.regex(mixed.stderr, /line 3: refused: 0x7099.* is not a token in TOKENS_FILE \(0x[0-9a-f]{64}\)\n/);
  t.regex(mixed.stderr, /2 rows inserted, 0 already known, 1 refused/);

  const again = await cli(['enqueue', '--json', first], env);
  t.is(again.code, 0);
  t.like(JSON.parse(again.stdout), { place: 1, hash: keccak256(first), result: 'known' });
  const rows = await db.query(
    "select encode(tx_hash, 'hex') as hash, from_address, contract_address, recipient_address, nonce, amount_data, status from mempool order by nonce",
  );
  t.is(rows.length, 2);
  t.deepEqual(rows[0], {
    hash: keccak256(first).slice(2),
    from_address: account.address,
    contract_address: DEMO,
    recipient_address: RECIPIENT,
    nonce: '0',
    amount_data: Buffer.from([5]),
    status: 'pending',
  });

  await db.query(
    "update mempool set available_at = 'infinity', attempts = 20, last_error = 'UNKNOWN_TOKEN: not here' where nonce = 1",
  );
  const json = await cli(['status', '--json'], env);
  t.is(json.code, 2, 'a row could be claimed, and nobody is there');
  const snapshot = JSON.parse(json.stdout);
  t.is(snapshot.state, 'not-moving');
  t.like(snapshot.queue, { waiting: { rows: 1 }, parked: { rows: 1 } });
  t.like(snapshot.parked[0], { txHash: keccak256(second), reason: 'UNKNOWN_TOKEN: not here' });
  const text = await cli(['status'], env);
  t.regex(text.stdout, /waiting +1 {2}oldest/);
  t.regex(text.stdout, /Parked[^\n]*\n +0x[0-9a-f]{64} .*UNKNOWN_TOKEN/);

  const dry = await cli(['replay', '--error', 'unknown_token', '--dry-run'], env);
  t.is(dry.code, 0);
  t.regex(dry.stdout, /1 row would be replayed/);
  t.is((await db.query("select 1 from mempool where available_at = 'infinity'")).length, 1);
  const done = await cli(['replay', '--parked', '--sender', account.address.toLowerCase(), '--json'], env);
  t.is(done.code, 0);
  t.like(JSON.parse(done.stdout), { txHash: keccak256(second), state: 'parked', nonce: '1' });
  t.like(await db.one('select attempts, available_at <= now() as due from mempool where nonce = 1'), {
    attempts: 0,
    due: true,
  });
});

test('replay of one row that it does not take says why', async (t) => {
  const { db, env } = await setup(t);
  const raw = await sign(0);
  await cli(['enqueue', raw], env);
  const replayed = (...more: string[]) => cli(['replay', '--hash', keccak256(raw), ...more], env);
  t.is((await replayed()).code, 0);
  const refused = async (why: RegExp, ...more: string[]): Promise<void> => {
    const { code, stderr } = await replayed(...more);
    t.is(code, 1);
    t.regex(stderr, why);
    t.notRegex(stderr, /\n +at /, 'no stack');
  };
  await refused(/another of the given conditions/, '--parked');
  await db.query(
    "update mempool set claim_token = gen_random_uuid(), claimed_by = 'a', lease_expires_at = now() + interval '1 min'",
  );
  await refused(/is not replayed: an instance is working on it/);
  await refused(/an instance is working on it/, '--dry-run');
  await db.query(
    `update mempool set claim_token = null, lease_expires_at = null, sent_from = 1, sent_until = now(), sent_on = 0,
       submission_party = 'alice::1'`,
  );
  await refused(/sent on a participant that is no longer pinned/);
  await db.query(
    "update mempool set sent_from = null, sent_until = null, sent_on = null, submission_party = null, status = 'failed'",
  );
  await refused(/it has failed, which is final/);
  await db.query("update mempool set status = 'mined'");
  await refused(/it is mined/);
  await db.query('delete from mempool');
  await refused(/no row has this hash/);
});

test('settings come from a file too, and the environment goes first', async (t) => {
  const { env, folder } = await setup(t);
  const file = path.join(folder, 'settings.env');
  writeFileSync(file, `DATABASE_URL=${env.DATABASE_URL}\nLANES=sideways\n`);
  t.is((await cli(['--env-file', file, 'status', '--json'])).code, 0);
  t.is((await cli(['status', '--env-file', file], { DATABASE_URL: 'mysql://x' })).code, 2);
});

test('a database that is not migrated is a matter of configuration, one that is away is not', async (t) => {
  const db = await freshDatabase(t);
  // A server that trusts everybody takes any password; it must not be shown all the same.
  const url = new URL(db.url);
  url.password ||= 'unasked-password';
  const bare = await cli(['status'], { DATABASE_URL: url.href });
  t.is(bare.code, 2);
  t.regex(bare.stderr, /run `canton-submitter migrate` first/);
  t.false(bare.stderr.includes(url.password));
  const away = await cli(['status'], { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' });
  t.is(away.code, 1);
  t.regex(away.stderr, /the database cannot be reached/);
  const migrated = await cli(['migrate'], { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' });
  t.is(migrated.code, 1);
  t.regex(migrated.stderr, /the database cannot be reached/);
});

test('a role that may not is told which document lists what it needs', async (t) => {
  const { db } = await setup(t);
  const role = `submitter_${randomInt(1e9)}`;
  await db.query(`create role ${role} login password 'unasked'`);
  t.teardown(() => db.query(`drop role ${role}`));
  const url = new URL(db.url);
  url.username = role;
  url.password = 'unasked';
  for (const command of ['status', 'migrate']) {
    const { code, stderr } = await cli([command], { DATABASE_URL: url.href });
    t.is(code, 2, stderr);
    t.regex(stderr, /permission denied|must be owner/);
    t.regex(stderr, /docs\/operations\.md, "Privileges"/);
    t.notRegex(stderr, /unasked|\n +at /);
  }
});

test('replay without a condition, an unknown option and an unknown command end with 2, help with 0', async (t) => {
  const [all, option, command, help] = await Promise.all([
    cli(['replay'], { DATABASE_URL: 'postgres://db/api' }),
    cli(['status', '--everything']),
    cli(['stats']),
    cli(['help', 'replay']),
  ]);
  t.deepEqual([all.code, option.code, command.code, help.code], [2, 2, 2, 0]);
  t.regex(all.stderr, /say which rows/);
  t.regex(command.stderr, /unknown command 'stats'\n\(Did you mean status\?\)/);
  for (const way of ['--recheck', '--completed', '--force-new']) t.true(help.stdout.includes(way));
});

test('the four ways of replay do not go together, and each needs what it needs', (t) => {
  const hash = `0x${'11'.repeat(32)}` as TxHash;
  t.deepEqual(misuse({ hash }), []);
  t.deepEqual(misuse({ recheck: true }), []);
  t.deepEqual(misuse({ completed: hash, update: 'u', dryRun: true }), []);
  t.deepEqual(misuse({ forceNew: true, sender: '0x' }), []);
  const wrong: readonly (readonly [Parameters<typeof misuse>[0], RegExp])[] = [
    [{}, /say which rows/],
    [{ recheck: true, parked: true }, /--recheck applies to the whole table/],
    [{ recheck: true, dryRun: true }, /--recheck has no --dry-run/],
    [{ completed: hash }, /--completed HASH and --update ID need each other/],
    [{ hash, update: 'u' }, /--completed HASH and --update ID need each other/],
    [{ completed: hash, update: 'u', hash }, /--completed names its row/],
    [{ forceNew: true }, /only parked ones among them are taken/],
    [{ forceNew: true, recheck: true, hash }, /give only one of --recheck, --completed and --force-new/],
  ];
  for (const [flags, why] of wrong) t.regex(misuse(flags).join('\n'), why);
});

test('halted, rechecked, repinned: what the run-books say, command by command', async (t) => {
  const { db, env } = await setup(t);
  await cli(['enqueue', await sign(0)], env);
  await db.query("insert into users (evm_address, canton_party, fingerprint) values ($1, 'p::1220', 'f')", [
    account.address,
  ]);
  await db.query(
    "update mempool_submitter_v1 set halted = 'an acceptance after its bound', participant_id = 'p1', user_id = 'u', synchronizer_id = 's'",
  );
  t.regex(
    (await cli(['status'], env)).stdout,
    /^NOT MOVING\n[^\n]*no instance is alive\n[^\n]*\nNEEDS A PERSON\n {2}claims are halted: an acceptance after its bound\n[^\n]*--tolerance MS`\n\nPending rows/,
  );
  const tolerated = await cli(['migrate', '--tolerance', '90000'], env);
  t.is(tolerated.code, 0);
  t.regex(tolerated.stdout, /no longer halted[\s\S]*LEDGER_TIME_TOLERANCE_MS=90000/);

  const held =
    "claim_token = gen_random_uuid(), claimed_by = 'host-1', lease_expires_at = now() + interval '1 hour'";
  await db.query(`update mempool set ${held}`);
  const refused = await cli(['replay', '--recheck'], env);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^refused: host-1 holds 1 row\. Stop every instance/);
  await db.query('update mempool set lease_expires_at = now()');
  const rechecked = await cli(['replay', '--recheck', '--reason', 'a snapshot was started'], env);
  t.is(rechecked.stdout, '1 row will be looked up on the ledger before anything is sent\n');
  t.like(await db.one("select * from mempool_submitter_audit_v1 where action = 'recheck'"), {
    by_person: whoRuns(),
    reason: 'a snapshot was started',
  });

  const unasked = await cli(['migrate', '--repin'], env);
  t.is(unasked.code, 2);
  t.regex(unasked.stderr, /nothing was changed: there is no terminal to ask on; pass --yes to confirm/);
  const repinned = await cli(['migrate', '--repin', '--yes'], env);
  t.is(repinned.code, 0);
  t.regex(repinned.stdout, /p1 is no longer pinned[\s\S]*1 undecided rows are parked with their records/);
  const parked = await cli(['status'], env);
  t.is(parked.code, 1);
  t.regex(parked.stdout, /^NEEDS A PERSON\n {2}1 row parked: REPINNED\n {4}-> It was sent on/);
  t.regex(parked.stdout, /replay --completed HASH --update\s+ID`/);
  t.regex(parked.stdout, /^ {2}1 row sent on a participant that is no longer pinned$/m);
});

test('replay --force-new says what it risks, and does nothing where nobody can be asked', async (t) => {
  const { db, env } = await setup(t);
  const raw = await sign(0);
  await cli(['enqueue', raw], env);
  const hash = keccak256(raw);
  const args = ['replay', '--force-new', '--hash', hash];
  await db.query(
    "update mempool set available_at = 'infinity', sent_from = 1, sent_until = 'infinity', submission_id = 's', submission_party = 'p', sent_on = 1",
  );
  const unasked = await cli(args, env);
  t.is(unasked.code, 2);
  t.regex(unasked.stdout, /parked, undecided: it may still commit[\s\S]*1 row would be sent again/);
  t.regex(unasked.stderr, new RegExp(`to be forgotten for ${hash}: submission s for p, without a bound`));
  t.regex(unasked.stderr, /may still commit, or may have committed[\s\S]*; pass --yes to confirm$/m);
  t.is((await db.query('select 1 from mempool where sent_until is not null')).length, 1);
  const done = await cli([...args, '--yes', '--reason', 'ticket 7'], env);
  t.is(done.code, 0, done.stderr);
  t.regex(done.stdout, /1 row will be sent again/);
  t.is(
    (await db.query('select 1 from mempool where sent_until is null and available_at <= now()')).length,
    1,
  );
  t.like(await db.one('select * from mempool_submitter_audit_v1'), {
    action: 'force-new',
    by_application: 'canton-submitter cli',
    by_person: whoRuns(),
    reason: 'ticket 7',
  });
});

test('status --watch looks again and again, until it is told to stop', async (t) => {
  const { env } = await setup(t);
  const lines: string[] = [];
  const status = start(['status', '--json', '--watch', '0.1'], env);
  await status.line((line) => !lines.includes(line) && lines.push(line) === 2);
  status.kill('SIGINT');
  t.is((await status.ended).code, 0);
  t.deepEqual(
    lines.map((line) => JSON.parse(line).queue.parked.rows),
    [0, 0],
  );
});

test('the installed command starts, built or not', async (t) => {
  const root = new URL('../../', import.meta.url);
  const bin = fileURLToPath(new URL('bin/canton-submitter.js', root));
  const { stdout } = await promisify(execFile)(process.execPath, [bin, '--version']);
  t.is(stdout.trim(), JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version);
});
