import test from 'ava';
import type { TxHash } from '../../src/core/ids.js';
import { readStory } from '../../src/store/operator/story.js';
import { openDatabase } from '../../src/store/pool.js';
import { readStatus } from '../../src/store/status.js';
import { startLocal } from '../support/local.js';
import { createWorld, type NewTransfer } from '../support/world.js';

const NOBODY = '0x00000000000000000000000000000000000000aa';

test('bad rows fail with words for a wallet, unserved ones park; neither reaches the ledger nor holds up others', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const mallory = await world.user();
  const keyed = await world.user();
  await world.db.query(
    "update users set canton_private_key_encrypted = 'sealed', key_mode = 'custodial' where evm_address = $1",
    [keyed.address],
  );
  // All of one sender, lowest nonces first: each bad row stands in the way of the good one behind it.
  let nonce = 0;
  const bad = (transfer: Partial<NewTransfer>): Promise<string> =>
    world.insert({ from: mallory, to: bob, nonce: nonce++, ...transfer });
  const failed: ReadonlyArray<readonly [string, string, RegExp]> = [
    [await bad({ to: 'bob' }), 'An address of this transfer is invalid.', /^BAD_ADDRESS: "bob"/],
    [await bad({ from: '0x12' }), 'An address of this transfer is invalid.', /^BAD_ADDRESS: "0x12"/],
    [await bad({ to: NOBODY }), 'The recipient is not registered.', /^UNKNOWN_RECIPIENT: /],
    [await bad({ amountData: Buffer.alloc(33, 1) }), 'The amount is invalid.', /^BAD_AMOUNT: 33 bytes/],
    [
      await bad({ amountData: Buffer.alloc(32, 0xff) }),
      'The amount has more decimal places than this token supports on the ledger (10).',
      /^AMOUNT_TOO_FINE: /,
    ],
    [await bad({ txHash: Buffer.alloc(5, 7) }), 'The transaction hash is invalid.', /^BAD_TX_HASH: /],
    [
      await bad({ amountData: Buffer.from([1]) }),
      'The amount has more decimal places than this token supports on the ledger (10).',
      /^AMOUNT_TOO_FINE: /,
    ],
    [await bad({ amount: 0 }), 'The amount must be greater than zero.', /^ZERO_AMOUNT: /],
    [await bad({ amount: 500 }), 'Insufficient balance.', /^INSUFFICIENT_BALANCE: DEMO: /],
  ];
  const parked: ReadonlyArray<readonly [string, RegExp]> = [
    // The API takes registered senders only: whatever is wrong, it is not the row.
    [await bad({ from: NOBODY }), /^UNKNOWN_SENDER: .*after 20 attempts/],
    [
      await bad({ contract: NOBODY }),
      /^UNKNOWN_TOKEN: .*not in TOKENS_FILE; add it, restart the instances, then replay/,
    ],
    [await world.insert({ from: keyed, to: bob }), /^KEY_UNREADABLE: it is not base64/],
  ];
  const good = [await bad({ amount: 2 }), await world.insert({ from: alice, to: mallory })];

  const local = await startLocal(t, world);
  await world.ended([...good, ...failed.map(([hash]) => hash)]);
  for (const [hash, message, lastError] of failed) {
    const row = await world.row(hash);
    t.like(row, { status: 'failed', error_message: message, parked: false, sent_until: null });
    t.regex(row.last_error ?? '', lastError);
  }
  for (const [hash, reason] of parked) {
    await local.event('parked', (event) => event.txHash === hash);
    const row = await world.row(hash);
    t.like(row, {
      status: 'pending',
      parked: true,
      error_message: null,
      claim_token: null,
      sent_until: null,
    });
    t.regex(row.last_error ?? '', reason);
  }
  for (const hash of good) t.is((await world.row(hash)).status, 'completed');
  t.deepEqual(
    world.sandbox.audit.entries.map((entry) => entry.commandId).sort(),
    [...good].sort(),
    'nothing of a bad row reached the ledger',
  );
  t.deepEqual(await world.audit(), []);
});

test('rows with values that nobody expects hold up no other row, and every list shows them', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const bob = await world.user({ balance: 0 });
  const odd = async (set: string): Promise<string> => {
    const hash = await world.insert({ from: await world.user(), to: bob });
    await world.db.query(`update mempool set ${set} where tx_hash = $1`, [Buffer.from(hash.slice(2), 'hex')]);
    return hash;
  };
  const served = [
    await odd('attempts = -2147483648'),
    ...(await Promise.all(
      ["'infinity'", "'-infinity'", "'0001-01-01 BC'", "'294276-01-01'"].map((at) =>
        odd(`created_at = ${at}, updated_at = ${at}`),
      ),
    )),
    await odd("available_at = '-infinity'"),
    await odd('nonce = -1'),
    await odd('nonce = 9223372036854775807'),
  ];
  // The largest count that the column holds: it is judged, fails for its own reason, and cannot stop the claim.
  const counted = await odd(`attempts = 2147483647, recipient_address = '${NOBODY}'`);
  const good = await world.insert({ from: await world.user(), to: bob });
  await startLocal(t, world);
  await world.ended([...served, counted, good]);
  for (const hash of [...served, good]) t.is((await world.row(hash)).status, 'completed', hash);
  t.like(await world.row(counted), { status: 'failed', attempts: 2147483647 });
  t.deepEqual(await world.audit(), []);
});

test('a waiting row that arrived at no date that there is: the lists count it and show it', async (t) => {
  const world = await createWorld(t, { timeScale: 0.2 });
  const database = openDatabase({ url: world.db.url, poolSize: 1 });
  t.teardown(() => database.close());
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const hash = await world.insert({ from: alice, to: bob });
  for (const at of ['infinity', '-infinity']) {
    await world.db.query('update mempool set created_at = $1, updated_at = $1, available_at = $2', [
      at,
      '-infinity',
    ]);
    t.is((await readStatus(database)).queue.waiting.rows, 1);
    const story = await readStory(database, hash as TxHash);
    t.false(Number.isNaN(new Date(story?.row?.createdAt ?? Number.NaN).getTime()));
  }
});
