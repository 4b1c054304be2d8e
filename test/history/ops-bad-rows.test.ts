import test from 'ava';
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
