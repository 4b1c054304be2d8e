import test from 'ava';
import { TransactionShape } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { startSandbox } from '../../src/sandbox/index.js';
import { LedgerClient } from './client.js';
import { HOLDING_TEMPLATE } from './transfer-commands.js';

test('a transfer moves money, and every service tells the same story', async (t) => {
  const sandbox = await startSandbox({ timeScale: 0.02, latencyMs: 20, seed: 1 });
  const client = new LedgerClient(sandbox);
  t.teardown(async () => {
    client.close();
    await sandbox.close();
  });
  const [alice = '', bob = ''] = sandbox.createParties([
    {
      hint: 'alice',
      holdings: [
        { token: 'DEMO', amount: '10', count: 2 },
        { token: 'PROMPT', amount: '5' },
      ],
    },
    { hint: 'bob' },
  ]);
  const begin = await client.ledgerEnd();
  const reader = client.completionStream([alice], begin);
  const holdings = await client.active(alice, HOLDING_TEMPLATE);
  t.is(holdings.length, 3);
  const inputs = holdings
    .filter((it) => it.createArguments?.fields[3]?.value?.record?.fields[1]?.value?.text === 'DEMO')
    .map((it) => it.contractId);
  t.is(inputs.length, 2);

  const answer = await client.transfer({
    commandId: 'c1',
    sender: alice,
    receiver: bob,
    amount: '12.5',
    inputs,
  });

  t.deepEqual(sandbox.balances(alice).DEMO, { amount: '7.5000000000', holdings: 1, locked: 0 });
  t.deepEqual(sandbox.balances(bob).DEMO, { amount: '12.5000000000', holdings: 1, locked: 0 });
  const completion = await reader.completionOf('c1');
  t.is(completion.updateId, answer.updateId);
  t.is(completion.offset, answer.completionOffset);
  t.is(completion.submissionId, 's-c1');
  t.is(completion.status?.code, 0);
  t.is(await client.ledgerEnd(), Number(answer.completionOffset));

  const delta = await client.update(answer.updateId, alice);
  t.is(delta.commandId, 'c1');
  t.deepEqual(
    delta.events.map((event) => event.event),
    ['archived', 'archived', 'created', 'created'],
  );
  const event = delta.events
    .map((it) => it.created)
    .find((it) => it?.templateId?.entityName === 'TokenTransferEvent');
  const fields = new Map(event?.createArguments?.fields.map((it) => [it.label, it.value]));
  t.is(fields.get('fromParty')?.optional?.value?.party, alice);
  t.is(fields.get('toParty')?.optional?.value?.party, bob);
  t.is(fields.get('amount')?.numeric, '12.5000000000');
  const effects = await client.update(
    answer.updateId,
    alice,
    TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS,
  );
  t.deepEqual(
    effects.events.map((it) => it.event),
    ['exercised', 'exercised', 'exercised', 'created', 'created', 'created'],
  );
  t.is(effects.events[0]?.exercised?.choice, 'TransferFactory_Transfer');
  t.is((await client.update(answer.updateId, bob)).commandId, '', 'the receiver is not told the command id');

  await reader.until(() => reader.checkpoints.length > 0);
  reader.cancel();
  t.like(sandbox.audit.summary(), {
    ledgerCalls: 1,
    commands: 1,
    accepted: 1,
    doubleCommits: 0,
    conflicts: 0,
    maxInFlightPerParty: 1,
  });
  t.like(sandbox.audit.entries[0], {
    commandId: 'c1',
    actAs: [alice],
    outcome: { kind: 'accepted', answered: true },
  });
});
