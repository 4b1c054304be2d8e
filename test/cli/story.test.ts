// A row's story in words, from what the database has of it.
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { told } from '../../src/cli/show/told.js';
import { storyText } from '../../src/cli/show.js';
import { dbMillis, type TxHash } from '../../src/core/ids.js';
import type { Tokens } from '../../src/core/token.js';
import { pauseRows } from '../../src/store/operator/pauses.js';
import { replay } from '../../src/store/operator/replay.js';
import { readStory, type Story, type StoryRow } from '../../src/store/operator/story.js';
import { completed, insertUser, pending, prepared } from '../store/support.js';

const tokens: Tokens = new Map([
  [
    '0x70c',
    {
      address: '0x70C',
      name: 'USDx',
      symbol: 'USDx',
      decimals: 6,
      instrumentAdmin: 'issuer::1220',
      instrumentId: 'USDx',
      steps: 1,
      offerIsDone: false,
    },
  ],
]);

test('each attempt is told by the statement that ends it, with what people did, and what comes next', async (t) => {
  const db = await prepared(t);
  await insertUser(db.query, 'alice');
  const hash = randomBytes(32);
  const txHash = `0x${hash.toString('hex')}` as TxHash;
  const id = await db.insert({ from: 'alice', nonce: 7, hash });
  const story = async (): Promise<Story> => (await readStory(db.database, txHash)) ?? (t.fail() as never);
  const next = async () => told(await story()).next;
  t.regex(await next(), /no instance is ready/);
  await pauseRows(db.database, { scope: 'sender', address: 'alice' }, 'asked', 'ann@ops');
  t.regex(await next(), /^paused by ann@ops: asked\. Then: `canton-submitter resume --sender 0xalice`$/);
  await db.query('delete from mempool_pauses_v1');

  await db.settle(await db.claimOne(), pending({ wait: 60_000, lastError: 'CONTENTION: busy' }));
  await db.query("update mempool set available_at = now() where from_address = 'alice'");
  const lost = await db.claimOne();
  t.regex(await next(), /^test has held it for /);
  await db.expire(id);
  t.regex(await next(), /^the lease of test has run out/);
  await db.store.rescue();
  t.regex(await next(), /^a look is due: .*; the ledger may accept it for another /);
  const [look] = await db.look();
  if (look === undefined) return t.fail();
  await db.settle(
    look,
    pending({ wait: 'parked', record: 'keep', attempts: 1, lastError: 'UNDECIDED: in vain' }),
  );
  t.regex(
    await next(),
    /^parked: UNDECIDED: in vain\. .*What was sent may still be accepted\. See .*replay --completed/,
  );
  await replay(db.database, { hash: txHash }, { dryRun: false, by: 'bob@ops', reason: 'again' });
  const [again] = await db.look();
  if (again === undefined) return t.fail();
  await db.settle(again, pending({ lastError: 'DEAD: no answer' }));
  await db.settle(await db.claimOne(), completed);

  const { attempts, acts } = await story();
  t.like(attempts, [
    { kind: 'attempt', number: 1, holder: 'test', outcome: 'retry', error: 'CONTENTION: busy' },
    { kind: 'attempt', number: 2, holder: 'test', outcome: 'lost', submissionId: lost.token },
    { kind: 'look', number: 2, outcome: 'parked', error: 'UNDECIDED: in vain', submissionId: lost.token },
    { kind: 'look', number: 0, outcome: 'dead' },
    { kind: 'attempt', number: 1, outcome: 'completed', updateId: 'update-1', offset: '42' },
  ]);
  t.is(attempts.length, 5);
  t.like(acts, [{ action: 'replay', by: 'bob@ops', reason: 'again', ofRow: true }]);
  const text = storyText(await story(), tokens);
  t.regex(
    text,
    /^0x[0-9a-f]{64}: completed\n {2}amount {5}0\.000001 USDx\n {2}sender {5}alice\n {2}recipient {2}bob\n {2}token {6}0x70C\n {2}nonce {6}7\n {2}\S+ {2}arrived\n/,
  );
  t.regex(storyText(await story(), new Map()), /\n {2}amount {5}1 of the smallest unit of 0x70C\n/);
  t.regex(text, /attempt 1 by test: refused for now after .*: CONTENTION: busy\n/);
  t.regex(text, /made due again by bob@ops: again\n/);
  t.regex(text, /: accepted by the ledger after .*: update update-1, offset 42\n/);
  t.regex(text, /\nNext: nothing here: the API's miner puts it into a block\n$/);

  await db.query("update mempool set status = 'mined'");
  await db.query('delete from mempool');
  t.regex(
    storyText(await story(), tokens),
    /it had become mined; its row is gone\nNext: nothing: a new row of this hash/,
  );
  t.is(await readStory(db.database, `0x${'00'.repeat(32)}` as TxHash), null);
});

test('a row behind another of its sender says which', async (t) => {
  const db = await prepared(t);
  const hash = randomBytes(32);
  const first = randomBytes(32);
  await db.insert({ from: 'alice', nonce: 1, hash: first });
  await db.insert({ from: 'Alice', nonce: 2, hash });
  const story = await readStory(db.database, `0x${hash.toString('hex')}` as TxHash);
  t.is(
    story === null ? '' : told(story).next,
    `waits behind nonce 1 of the same sender, 0x${first.toString('hex')}`,
  );
});

const row: StoryRow = {
  state: 'waiting',
  sender: 'alice',
  token: '0x70C',
  recipient: 'bob',
  nonce: '1',
  amount: '0x01',
  createdAt: dbMillis(0),
  updatedAt: dbMillis(0),
  dueAt: dbMillis(0),
  attempts: 1,
  lastError: null,
  message: null,
  holder: null,
  heldSince: null,
  leaseUntil: null,
  undecided: false,
  elsewhere: false,
  sentUntil: null,
  updateId: null,
  offset: null,
};

test('a story ends with what comes next, whatever the state of the row', (t) => {
  const story: Story = {
    txHash: `0x${'11'.repeat(32)}` as TxHash,
    now: dbMillis(10_000),
    row,
    remembered: null,
    attempts: [],
    acts: [],
    ahead: null,
    waitsOn: null,
    pauses: [],
    halted: null,
    ready: 1,
  };
  const next = (more: Partial<StoryRow>, of: Partial<Story> = {}) =>
    told({ ...story, ...of, row: { ...row, ...more } }).next;
  t.is(next({}), 'it can be claimed: the next claim takes it');
  t.is(next({ state: 'backoff', dueAt: dbMillis(22_000) }), 'tried again in 12 s');
  t.is(next({}, { halted: 'late' }), 'claims are halted: late');
  t.is(
    next({}, { waitsOn: { hashes: ['0xaa', '0xbb'], until: dbMillis(40_000) } }),
    'waits for the first of these to be decided, which have reserved the holdings it needs, for another 30 s at most: 0xaa, 0xbb',
  );
  t.is(
    next({ state: 'undecided', dueAt: dbMillis(22_000) }),
    'looked at again in 12 s; only an acceptance can end it',
  );
  const parked = (lastError: string, more: Partial<StoryRow> = {}) =>
    next({ state: 'parked', dueAt: null, lastError, ...more });
  const by = `canton-submitter replay --hash ${story.txHash}`;
  t.true(parked('DEAD: no answer').endsWith(`Fix the cause. Then: \`${by}\``));
  t.true(parked('DEAD: no answer', { undecided: true }).includes('; a replay looks first.'));
  t.regex(
    parked('TAMPERED: amount'),
    /^parked: TAMPERED: amount\. .*See `docs\/runbooks\.md#keys-of-external-parties`\.$/,
    'no command before somebody knows why',
  );
  for (const [reason, more] of [
    ['UNDECIDED: in vain', { undecided: true }],
    ['BALANCE_HELD: locked', { undecided: true, elsewhere: true }],
  ] as const) {
    t.false(parked(reason, more).includes(by), reason);
    t.regex(
      parked(reason, more),
      /still be accepted\. See `docs.*replay --completed 0x1+ --update ID/,
      reason,
    );
  }
  t.regex(next({ state: 'undecided', sentUntil: dbMillis(9_000) }), /^a look is due.*; its bound has passed/);
  t.is(next({ state: 'failed', message: 'no' }), 'nothing: it has failed for good. Its wallet reads: no');
  t.is(next({ state: 'mined' }), 'nothing: it is done');
});
