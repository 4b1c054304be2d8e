// What a person does about outcomes that are not delivered, with the commands.
import test from 'ava';
import { createDeliveries } from '../../src/store/outbox.js';
import { completed, prepared } from '../store/support.js';
import { start } from './support.js';

test('status names what was given up, webhooks lists and replays it, prune deletes what everybody has', async (t) => {
  const db = await prepared(t, { outcomes: 'webhooks' });
  const run = (...args: string[]) => start(args, { DATABASE_URL: db.url }).ended;
  const deliveries = createDeliveries(db.database);
  for (const from of ['a', 'b']) {
    await db.insert({ from });
    await db.settle(await db.claimOne(), completed);
  }
  const claimed = await deliveries.claim({ limit: 2, each: 1, leaseMs: 60_000 });
  for (const delivery of claimed) {
    const entryId = delivery.entries[0]?.entryId ?? '';
    const refused = delivery.entries[0]?.outcome.sender === 'a';
    await deliveries.release(
      delivery,
      refused
        ? { entryIds: [], failed: { entryId, error: 'HTTP 422: no such\u001b[2J account', waitMs: 0 } }
        : { entryIds: [entryId], failed: null },
      0,
    );
  }
  await db.query("update mempool_outbox_v1 set delivery = 'dead' where from_address = 'a'");

  const [listed, status, nothing, pruned] = await Promise.all([
    run('webhooks', 'list'),
    run('status'),
    run('webhooks', 'replay'),
    run('prune', '--outcomes', '--older-than', '0s', '--yes'),
  ]);
  t.regex(
    listed.stdout,
    /^ {2}0x[0-9a-f]{64} {2}completed {2}given up {2}1 {2}.* old {2}HTTP 422: no such \[2J account\n1 webhook/,
  );
  t.is(status.code, 1, 'a person is needed');
  t.regex(status.stdout, /the delivery of 1 outcome was given up: HTTP 422/);
  t.regex(status.stdout, /^Outcomes, kept for webhooks\n {2}to deliver +0/m);
  t.deepEqual(
    [nothing.code, nothing.stderr],
    [2, 'canton-submitter: say which webhooks: --dead, --hash, --sender or --since\n'],
  );
  t.regex(pruned.stdout, /^1 outcome deleted$/m);

  const replayed = await run('webhooks', 'replay', '--dead', '--json');
  t.like(JSON.parse(replayed.stdout), { sender: 'a', delivery: 'due', attempts: 0 });
  t.is((await deliveries.claim({ limit: 2, each: 1, leaseMs: 1 })).length, 1);
});
