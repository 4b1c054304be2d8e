// `replay --completed` against a real participant: the update is held against the row before anything is written.
import test from 'ava';
import { settleByUpdate } from '../../src/cli/replay/completed.js';
import { whoRuns } from '../../src/cli/support/who.js';
import { loadConfig } from '../../src/config.js';
import type { TxHash } from '../../src/core/ids.js';
import { openDatabase } from '../../src/store/pool.js';
import { startLocal } from '../support/local.js';
import { createWorld, type NewTransfer } from '../support/world.js';
import { cli } from './support.js';

/** What the row says of its transfer, as its sender's next one has it. */
const RESTORE = `update mempool m
    set from_address = o.from_address, recipient_address = o.recipient_address, contract_address = o.contract_address,
        amount_data = o.amount_data
   from mempool o where m.tx_hash = decode($1, 'hex') and o.tx_hash = decode($2, 'hex')`;

test('replay --completed settles a parked row by its own transfer alone: not by another amount or command, nor by something else', async (t) => {
  const world = await createWorld(t);
  const { db } = world;
  const [alice, bob] = [await world.user(), await world.user()];
  const transfer: NewTransfer = { from: alice, to: bob, amount: 2 };
  const hashes = [
    await world.insert({ ...transfer, nonce: 0 }),
    await world.insert({ ...transfer, nonce: 1 }),
    await world.insert({ ...transfer, nonce: 2, amount: 3 }),
  ];
  const local = await startLocal(t, world);
  await world.ended(hashes);
  await local.stop();
  const updates = await Promise.all(hashes.map(async (hash) => (await world.row(hash)).update_id ?? ''));
  const [hash = ''] = hashes;
  const [own = '', same = '', more = ''] = updates;
  const offset = "select completion_offset as at from mempool where tx_hash = decode($1, 'hex')";
  const { at } = await db.one(offset, [hash.slice(2)]);

  // As if its end had been lost, and the memory of it: pending again, and parked.
  await db.query("delete from mempool where tx_hash = decode($1, 'hex')", [hash.slice(2)]);
  await db.query('delete from mempool_ended_v1');
  await world.insert({ ...transfer, txHash: Buffer.from(hash.slice(2), 'hex') });
  const env = { ...world.sandbox.env, DATABASE_URL: db.url };
  const config = loadConfig(env);
  const database = openDatabase({ url: db.url });
  t.teardown(() => database.close());
  const refusal = async (update: string, dryRun = false): Promise<string> => {
    const result = await settleByUpdate(config, database, { hash: hash as TxHash, update, dryRun });
    return result.kind === 'refused' ? result.why : 'not refused';
  };
  t.regex(await refusal(own), /is not parked; only a parked row can be completed by hand/);
  await db.query("update mempool set available_at = 'infinity' where status = 'pending'");

  for (const [update, why] of [
    ['1220'.padEnd(68, '0'), /has no update .* can see/],
    [same, /is not this row's transfer: its command id is 0x/],
    [more, /is not this row's transfer: its command id is 0x/],
  ] as const) {
    t.regex(await refusal(update), why);
  }
  t.is(await refusal(own, true), 'not refused');
  t.is((await world.row(hash)).status, 'pending', 'a dry run does nothing');
  for (const [wrong, why] of [
    ["amount_data = '\\x0f4240'", /the row itself cannot be compared|its amount \(10\^-10\) is/],
    [`recipient_address = '${alice.address}'`, /its receiver is .*, the row's/],
    [`from_address = '${bob.address}'`, /its sender is|has no update .* can see/],
    [
      "contract_address = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'",
      /the row itself cannot be compared: UNKNOWN_TOKEN/,
    ],
  ] as const) {
    await db.query(`update mempool set ${wrong} where status = 'pending'`);
    t.regex(await refusal(own), why);
    await db.query(RESTORE, [hash.slice(2), hashes[1]?.slice(2)]);
  }
  const done = await cli(['replay', '--completed', hash, '--update', own, '--reason', 'found it'], env);
  t.is(done.code, 0, done.stderr);
  t.is(done.stdout, `${hash} is completed by update ${own}\n`);
  t.like(await world.row(hash), { status: 'completed', update_id: own });
  t.is((await db.one(offset, [hash.slice(2)])).at, at);
  t.deepEqual(await world.audit(), []);
  t.like(await db.one('select * from mempool_submitter_audit_v1'), {
    action: 'completed',
    by_person: whoRuns(),
    reason: 'found it',
  });
  t.regex(await refusal(own), /is completed; only a parked row/);
});
