// What people do to the fleet and to single rows: pause and resume, fail and park; each leaves its entry in the audit.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import type { TxHash } from '../../src/core/ids.js';
import { failByHand, parkByHand } from '../../src/store/operator/by-hand.js';
import { type PauseScope, pauseRows, readPauses, resumeRows } from '../../src/store/operator/pauses.js';
import { replay } from '../../src/store/operator/replay.js';
import { failed, insertUser, type Prepared, pending, prepared } from './support.js';

const sendersOf = async (db: Prepared, limit = 64): Promise<string[]> =>
  (await db.claim(limit)).map(({ row }) => row.fromAddress).sort();
const audit = (db: Prepared) =>
  db.query('select action, by_person, reason from mempool_submitter_audit_v1 order by id');
const hold = (db: Prepared, what: PauseScope, reason = 'asked') =>
  pauseRows(db.database, what, reason, 'ann@ops');
const resume = (db: Prepared, what: PauseScope) => resumeRows(db.database, what, null, 'bob@ops');
/** Alice has the oldest row. Every token but hers is 0x70C. */
async function threeSenders(db: Prepared): Promise<void> {
  for (const from of ['alice', 'bob', 'carol']) await db.insert({ from });
  await db.query("update mempool set contract_address = '0xPAUSED' where from_address = 'alice'");
}

test('paused, nothing is claimed, whatever build asks; looks go on; resumed, it goes on and the bell rings', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  await db.insert({ from: 'alice' });
  const sent = await db.claimOne();
  await db.settle(sent, pending({ record: 'keep' }));
  await db.insert({ from: 'bob' });
  t.true(await hold(db, { scope: 'all' }, 'upgrade'));
  t.deepEqual(await db.claim(), []);
  const { answer } = await db.one(
    "select answer from mempool_claim_v1(false, 1, 'an earlier build', 4, 30000, 0, 1, 1000, null)",
  );
  t.is(answer, 'paused');
  t.is((await db.look()).length, 1, 'a look sends nothing');
  t.false(await hold(db, { scope: 'all' }, 'upgrade, until noon'), 'it was paused already');
  t.like(await readPauses(db.database), [
    { scope: 'all', address: '', reason: 'upgrade, until noon', by: 'ann@ops' },
  ]);

  const listener = await db.pool.connect();
  const heard: unknown[] = [];
  listener.on('notification', ({ payload }) => heard.push(payload));
  await listener.query('listen mempool_wakeup_v1');
  t.like(await resume(db, { scope: 'all' }), { reason: 'upgrade, until noon' });
  await listener.query('select 1');
  listener.release();
  t.deepEqual(heard, ['']);
  t.is(await resume(db, { scope: 'all' }), null);
  t.deepEqual(await sendersOf(db), ['bob']);
  t.deepEqual(await audit(db), [
    { action: 'pause', by_person: 'ann@ops', reason: 'upgrade' },
    { action: 'pause', by_person: 'ann@ops', reason: 'upgrade, until noon' },
    { action: 'resume', by_person: 'bob@ops', reason: null },
  ]);
});

for (const lanes of ['sender', 'holdings', 'off'] as const) {
  test(`a token that is paused, and a sender, however they are spelled; others are claimed: LANES=${lanes}`, async (t) => {
    const db = await prepared(t, { lanes });
    await threeSenders(db);
    await hold(db, { scope: 'token', address: 'paused' });
    await hold(db, { scope: 'sender', address: '0xBOB' });
    await hold(db, { scope: 'sender', address: '0Xbob' });
    t.is((await readPauses(db.database)).length, 2);
    await db.query("update mempool set from_address = '0xBob' where from_address = 'bob'");
    t.deepEqual(await sendersOf(db), ['carol']);
    await resume(db, { scope: 'sender', address: 'bob' });
    t.deepEqual(await sendersOf(db), ['0xBob']);
    await resume(db, { scope: 'token', address: '0xPaused' });
    t.deepEqual(await sendersOf(db), ['alice']);
  });
}

test('a paused row holds its lane: a later row of its sender does not pass it', async (t) => {
  const db = await prepared(t);
  await threeSenders(db);
  await db.insert({ from: 'alice', nonce: 2 });
  await hold(db, { scope: 'token', address: '0xPAUSED' });
  t.deepEqual(await sendersOf(db), ['bob', 'carol']);
});

test('paused rows at the front of the queue keep nobody else waiting', async (t) => {
  const db = await prepared(t);
  await db.query(`insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, available_at)
    select decode(lpad(to_hex(n), 64, '0'), 'hex'), 'paused-' || n, '0xPAUSED', 'bob', 1, '', '\\x01', now() - case when n <= 100 then 3 else 1 end * interval '1 hour'
      from generate_series(1, 1500) n`);
  await db.insert({ from: 'carol' });
  // Neither among the oldest few, nor among the newest.
  await db.query("update mempool set available_at = now() - interval '2 hours' where from_address = 'carol'");
  await hold(db, { scope: 'token', address: '0xPAUSED' });
  t.deepEqual(await sendersOf(db, 1), ['carol']);
});

test('fail and park: only a row that nobody holds and of which nothing may commit', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'undecided');
  const hashes = new Map<string, TxHash>();
  for (const from of ['fresh', 'parked', 'claimed', 'undecided', 'ended', 'foreign', 'again', 'waits']) {
    const hash = randomBytes(32);
    hashes.set(from, `0x${hash.toString('hex')}` as TxHash);
    await db.insert({ from, hash });
  }
  const of = (from: string): TxHash => hashes.get(from) ?? (t.fail(from) as never);
  const fail = (from: string) =>
    failByHand(db.database, { hash: of(from), reason: 'cancelled', by: 'ann@ops' });
  const park = (from: string) => parkByHand(db.database, { hash: of(from), reason: 'asked', by: 'ann@ops' });
  for (const claimed of await db.claim()) {
    const verdicts: Record<string, Parameters<typeof db.settle>[1]> = {
      undecided: pending({ record: 'keep' }),
      parked: pending({ wait: 'parked', lastError: 'UNKNOWN_TOKEN: x' }),
      foreign: pending({ wait: 'parked', lastError: 'FOREIGN_ACCEPTANCE: x' }),
      ended: failed,
    };
    const verdict = verdicts[claimed.row.fromAddress];
    if (verdict !== undefined) await db.settle(claimed, verdict);
    else if (claimed.row.fromAddress !== 'claimed') await db.settle(claimed, pending());
  }
  await db.query(
    "insert into mempool_ended_v1 select tx_hash, 'completed', null, null, now() from mempool where from_address = 'again'",
  );
  const row = (from: string) =>
    db.one(
      'select status, error_message, last_error, available_at::text as due from mempool where from_address = $1',
      [from],
    );

  t.is(await fail('claimed'), 'claimed');
  t.is(await park('claimed'), 'claimed');
  await db.query("update mempool set claim_token = null where from_address = 'claimed'");
  t.is(await fail('claimed'), 'claimed', 'a lease without a token is somebody’s too');
  t.is(await park('claimed'), 'claimed');
  t.is(await fail('undecided'), 'undecided');
  t.is(await park('undecided'), 'undecided');
  t.is(await fail('ended'), 'failed');
  t.is(await park('ended'), 'failed');
  t.is(await fail('foreign'), 'on-the-ledger');
  t.is(await fail('again'), 'ended-before');
  await db.query("update mempool_submitter_v1 set halted = 'late'");
  t.is(await fail('fresh'), 'halted');
  await db.query(
    'update mempool_submitter_v1 set halted = null, recheck_at = now(), recheck_from = 0, recheck_until = now()',
  );
  t.is(await fail('fresh'), 'database-in-doubt');
  const pins = await db.one('select timeline from mempool_submitter_v1');
  await db.query(
    "update mempool_submitter_v1 set recheck_at = null, recheck_from = null, recheck_until = null, timeline = '0000FFFF'",
  );
  t.is(await fail('fresh'), 'database-in-doubt');
  await db.query('update mempool_submitter_v1 set timeline = $1', [pins.timeline]);
  t.deepEqual(await audit(db), [], 'and nothing of it is noted');

  t.is(await fail('fresh'), null);
  t.like(await row('fresh'), {
    status: 'failed',
    error_message: 'cancelled',
    last_error: 'FAILED_BY_HAND: cancelled',
  });
  t.is(await fail('parked'), null, 'a parked row may be failed');
  t.is(await park('waits'), null);
  t.like(await row('waits'), { status: 'pending', last_error: 'PARKED_BY_HAND: asked', due: 'infinity' });
  t.is(await park('waits'), 'parked');
  t.is(await park('foreign'), 'parked');
  t.like(await row('foreign'), { last_error: 'FOREIGN_ACCEPTANCE: x' });
  await replay(db.database, { hash: of('waits') }, { dryRun: false, by: 'bob@ops', reason: 'answered' });
  t.deepEqual(await audit(db), [
    { action: 'fail', by_person: 'ann@ops', reason: 'cancelled' },
    { action: 'fail', by_person: 'ann@ops', reason: 'cancelled' },
    { action: 'park', by_person: 'ann@ops', reason: 'asked' },
    { action: 'replay', by_person: 'bob@ops', reason: 'answered' },
  ]);
  const unknown = `0x${'00'.repeat(32)}` as TxHash;
  t.is(await failByHand(db.database, { hash: unknown, reason: 'x', by: 'y' }), 'unknown');
});
