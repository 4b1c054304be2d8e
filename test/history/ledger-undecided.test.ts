// A submission whose fate is unknown: what is judged, written and sent before it is known. Deduplication is off
// wherever it would hide a second submission.
import { microsOf, party, type TxHash } from '../../src/core/ids.js';
import { SealedKey } from '../../src/core/sealed-key.js';
import type { Token } from '../../src/core/token.js';
import type { Transfer } from '../../src/core/transfer.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { Outcome } from '../../src/protocol/outcome.js';
import type { Fault } from '../../src/sandbox/index.js';
import { migrateDown } from '../../src/store/migrate/down.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { createSigner } from '../../src/transfer/signer.js';
import { forBoth } from '../support/both.js';
import { startLocal } from '../support/local.js';
import { createLooks, endBound } from '../support/looks.js';
import { HANG_MS } from '../support/time.js';
import { createWorld, DEMO, MASTER_KEY, type Parties, type User, type World } from '../support/world.js';
import { createNetwork, nextEvent } from './ledger-network.js';

forBoth(
  'P2 sent, answer lost, committed; balance, token, user and amount speak against it since: completed',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const receiver = await world.user();
    const senders = [await world.user(), await world.user(), await world.user()] as const;
    const [poor, gone, odd] = senders;
    let sent = 0;
    let everythingChanged = (): void => {};
    const changed = new Promise<void>((resolve) => {
      everythingChanged = resolve;
    });
    const network = createNetwork(async () => {
      sent += 1;
      if (sent === senders.length) {
        await world.sandbox.control({ kind: 'spend', party: poor.party });
        await world.db.query('delete from users where evm_address = $1', [gone.address]);
        await world.db.query(`update mempool set amount_data = '\\x' where from_address = $1`, [odd.address]);
        (local.settings.tokens as Map<string, Token>).clear();
        everythingChanged();
      }
      await changed;
    });
    network.next('lose-answer', 'lose-answer', 'lose-answer');
    const local = await startLocal(t, world, { ledger: network.wrap });
    const hashes = await Promise.all(senders.map((from) => world.insert({ from, to: receiver, amount: 60 })));
    await world.ended(hashes);
    for (const hash of hashes) t.is((await world.row(hash)).status, 'completed');
    t.is(network.requests.length, 3);
    t.is(world.sandbox.balances(receiver.party).DEMO?.amount, '280.0000000000');
  },
);

forBoth(
  'P3 failed is written when nothing can be accepted any more; a request that arrives later is refused',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('hold');
    const local = await startLocal(t, world, { ledger: network.wrap, settings: { windowMs: 4_000 } });
    const hash = await world.insert({ from: alice, to: bob });
    await local.event('sent');
    // Certain by itself, were the row fresh; the inputs stay there, so that nothing but the bound refuses the request.
    await world.db.query('delete from users where evm_address = $1', [bob.address]);
    const bound = Number((await world.row(hash)).sent_until);
    await world.ended([hash]);
    const { status, error_message } = await world.row(hash);
    t.is(status, 'failed');
    t.truthy(error_message);
    const { written } = await world.db.one<{ written: Date }>('select updated_at as written from mempool');
    t.true(written.getTime() > bound, 'not before the ledger was past the bound');
    t.is((await network.deliver()).kind, 'refused');
    const [entry] = world.sandbox.audit.of(hash);
    // The transfer's own end is checked on arrival, a prepared one's when it is to be sequenced.
    t.is(entry?.outcome.kind, parties === 'hosted' ? 'refused' : 'rejected');
    t.is(network.requests.length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  'P22 an acceptance of our command id that is not our transfer parks, loudly, and nothing is sent again',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('hold');
    const looks = createLooks();
    const local = await startLocal(t, world, { ledger: network.wrap, store: looks.wrap });
    const hash = await world.insert({ from: alice, to: bob });
    await local.event('settled');
    await world.sandbox.control({ kind: 'foreignAcceptance', commandId: hash, party: alice.party });
    t.deepEqual(await looks.once(world, local), ['foreign']);
    t.regex((await local.event('alarm')).what, /^FOREIGN_ACCEPTANCE: /);
    await endBound(world, hash);
    const parkedAgain = nextEvent(local, 'parked');
    t.deepEqual(await looks.once(world, local), ['foreign']);
    t.regex((await parkedAgain).reason, /^FOREIGN_ACCEPTANCE: /);
    const row = await world.row(hash);
    t.is(row.status, 'pending');
    t.true(row.parked);
    t.not(row.sent_until, null, 'its record is kept');
    t.is(network.requests.length, 1);
  },
);

forBoth(
  'P22 DUPLICATE_COMMAND: what it speaks of is found and compared, or the row parks',
  async (t, parties) => {
    const world = await createWorld(t, { parties });
    const users = await Promise.all(Array.from({ length: 5 }, () => world.user({ holdings: 2 })));
    const [receiver, same, other, nowhere, untold] = users as [User, User, User, User, User];
    const { faults, audit } = world.sandbox;
    const once = (who: User, what: Fault['do']) =>
      faults.add({ on: 'submit', match: { party: who.party }, times: 1, do: what });
    once(same, { kind: 'foreignAcceptance', transfer: 'same' });
    once(other, { kind: 'foreignAcceptance', transfer: 'other' });
    once(nowhere, { kind: 'phantomDuplicate' });
    once(untold, { kind: 'phantomDuplicate', completionOffset: 'absent' });
    const local = await startLocal(t, world);
    const [ours, ...others] = [
      await world.insert({ from: same, to: receiver }),
      await world.insert({ from: other, to: receiver }),
      await world.insert({ from: nowhere, to: receiver }),
      await world.insert({ from: untold, to: receiver }),
    ] as const;
    await world.ended([ours]);
    t.is((await world.row(ours)).status, 'completed');
    for (const hash of others) {
      await local.event('parked', (event) => event.txHash === hash);
      const row = await world.row(hash);
      t.is(row.status, 'pending');
      t.true(row.parked);
      t.not(row.sent_until, null, 'its record is kept');
      t.regex(row.last_error ?? '', hash === others[0] ? /^FOREIGN_ACCEPTANCE: / : /^LOST_DUPLICATE: /);
      t.truthy(local.events.find((event) => event.kind === 'alarm' && event.txHash === hash));
      t.is(audit.of(hash).length, 1);
    }
  },
);

forBoth(
  'I3 DUPLICATE_COMMAND: pruned up to the very completion that it speaks of, the row parks, since nothing will ever show it',
  async (t, parties) => {
    const world = await createWorld(t, { parties });
    const [alice, bob] = [await world.user(), await world.user()];
    const completionOffset = world.sandbox.ledgerEnd();
    await world.user();
    world.sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'phantomDuplicate', completionOffset } });
    const local = await startLocal(t, world);
    await local.event('ready');
    t.deepEqual(await world.sandbox.control({ kind: 'prune', offset: completionOffset }), {
      prunedUpTo: completionOffset,
    });
    const hash = await world.insert({ from: alice, to: bob });
    const { verdict } = await local.event('settled', ({ txHash }) => txHash === hash);
    t.like(verdict, { record: 'keep', wait: 'parked' });
    const row = await world.row(hash);
    t.like(row, { status: 'pending', parked: true });
    t.regex(row.last_error ?? '', /^PRUNED: /);
    t.not(row.sent_until, null, 'its record is kept');
    t.is(world.sandbox.audit.of(hash).length, 1);
  },
);

forBoth(
  'P24 the old submitter had sent a row and lost the answer: found on the ledger, not sent again',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const { env, url, audit } = world.sandbox;
    const [alice, bob] = [await world.user(), await world.user()];
    await migrateDown(
      world.db.url,
      async () => true,
      () => {},
    );
    const hash = await world.insert({ from: alice, to: bob, amount: 2 });

    const ledger = createLedger({
      url,
      userId: env.CANTON_USER_ID ?? '',
      synchronizerId: env.CANTON_SYNCHRONIZER_ID ?? '',
      issuerParty: party(env.CANTON_ISSUER_PARTY ?? ''),
    });
    t.teardown(async () => ledger.close());
    await sendAsTheOldOne(ledger, world, { hash, from: alice.party, to: bob.party });
    t.is(audit.summary().accepted, 1);

    await migrate({
      url: world.db.url,
      lanes: 'sender',
      toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
      clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
      oneStepTokens: [DEMO],
      oldUser: { kind: 'same' },
      create: true,
      say: () => {},
    });
    const local = await startLocal(t, world);
    await world.ended([hash]);
    const row = await world.row(hash);
    t.is(row.status, 'completed');
    const [entry] = audit.of(hash);
    t.is(row.update_id, entry?.outcome.kind === 'accepted' ? entry.outcome.updateId : '');
    t.false(local.events.some((event) => event.kind === 'sent'));
    t.deepEqual(await world.audit(), []);
  },
);

/** A world in which another ledger user has sent the row's transfer, and ours takes over from it. */
async function takenOver(
  t: Parameters<typeof createWorld>[0],
  parties: Parties,
  old: string,
  sentAs: string | null = old,
) {
  const world = await createWorld(t, { parties, dedup: false });
  const { env, url } = world.sandbox;
  const [alice, bob] = [await world.user(), await world.user()];
  await migrateDown(
    world.db.url,
    async () => true,
    () => {},
  );
  const hash = await world.insert({ from: alice, to: bob, amount: 2 });
  const ledger = createLedger({
    url,
    userId: sentAs ?? env.CANTON_USER_ID ?? '',
    synchronizerId: env.CANTON_SYNCHRONIZER_ID ?? '',
    issuerParty: party(env.CANTON_ISSUER_PARTY ?? ''),
  });
  t.teardown(async () => ledger.close());
  await sendAsTheOldOne(ledger, world, { hash, from: alice.party, to: bob.party });
  await migrate({
    url: world.db.url,
    lanes: 'sender',
    toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
    clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
    oneStepTokens: [DEMO],
    oldUser: { kind: 'other', id: old },
    say: () => {},
  });
  return { world, hash };
}

forBoth(
  'P24 the old submitter had a ledger user of its own: its completions are read as that user, and nothing is sent again',
  async (t, parties) => {
    const { world, hash } = await takenOver(t, parties, 'old-submitter');
    const local = await startLocal(t, world);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.false(local.events.some((event) => event.kind === 'sent'));
    t.is(world.sandbox.audit.summary().accepted, 1);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth(
  "P24 a leftover may be our own by now, as after a failover: dead by the old user's completions, it is looked for among ours",
  async (t, parties) => {
    const { world, hash } = await takenOver(t, parties, 'old-submitter', null);
    await world.db.query("update mempool set sent_until = date_trunc('milliseconds', now())");
    const local = await startLocal(t, world);
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.false(local.events.some((event) => event.kind === 'sent'));
    t.is(world.sandbox.audit.summary().accepted, 1);
  },
);

forBoth(
  "P24 without the right to read as the old submitter's user its leftovers wait, and nothing is sent for them",
  async (t, parties) => {
    const { world, hash } = await takenOver(t, parties, 'old-submitter');
    const { faults } = world.sandbox;
    faults.add({
      on: 'CommandCompletionService/CompletionStream',
      match: { userId: 'old-submitter' },
      do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
    });
    // Its bound has long passed on the ledger's clock: our own user's stream alone would call it dead.
    await world.db.query("update mempool set sent_until = date_trunc('milliseconds', now())");
    const local = await startLocal(t, world);
    const said: string[] = [];
    await local.event('settled', ({ verdict }) => {
      if (verdict.kind === 'pending') said.push(verdict.lastError ?? '');
      return verdict.kind === 'pending' && /cannot be read/.test(verdict.lastError ?? '');
    });
    t.like(await world.row(hash), { status: 'pending' });
    t.false(
      local.events.some((event) => event.kind === 'sent'),
      said.join(),
    );
    faults.clear();
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(world.sandbox.audit.summary().accepted, 1);
  },
);

async function sendAsTheOldOne(
  ledger: ReturnType<typeof createLedger>,
  world: World,
  { hash, from, to }: { readonly hash: string; readonly from: string; readonly to: string },
): Promise<void> {
  const admin = world.sandbox.issuer;
  const options = { timeoutMs: HANG_MS };
  await world.until('the channel is ready', () => ledger.ready());
  const at = BigInt(world.sandbox.ledgerEnd());
  const factories = await ledger.transferFactories(admin, at, options);
  const holdings = await ledger.holdings([party(from)], at, options);
  const [factoryId] = factories.kind === 'read' ? factories.value : [];
  const [holding] = holdings.kind === 'read' ? (holdings.value.get(party(from))?.holdings ?? []) : [];
  if (factoryId === undefined || holding === undefined) throw new Error('nothing to transfer');
  const now = microsOf(Date.now());
  const transfer: Transfer = {
    commandId: hash as TxHash,
    factory: { kind: 'own', contractId: factoryId },
    sender: party(from),
    receiver: party(to),
    admin,
    instrumentId: holding.instrumentId,
    amount: 2n * 10n ** 10n,
    holdings: [holding.contractId],
    requestedAt: now - 1_000_000n,
    executeBefore: now + 60_000_000n,
  };
  const submissionId = 'of-the-old-submitter';
  const { key } = await world.db.one<{ key: string | null }>(
    'select canton_private_key_encrypted as key from users where canton_party_id = $1',
    [from],
  );
  const outcome =
    key === null
      ? await ledger.submit({ ...transfer, submissionId }, options)
      : await execute(ledger, transfer, new SealedKey(key), submissionId);
  if (outcome.kind !== 'accepted') throw new Error(`${outcome.kind} instead of accepted`);
}

async function execute(
  ledger: ReturnType<typeof createLedger>,
  transfer: Transfer,
  key: SealedKey,
  submissionId: string,
): Promise<Outcome> {
  const options = { timeoutMs: HANG_MS };
  const prepared = await ledger.prepare(transfer, microsOf(Date.now() + 60_000), options);
  if (prepared.kind !== 'read') throw new Error(prepared.refusal.detail);
  const signed = createSigner(MASTER_KEY).sign(key, prepared.value.hash);
  if (signed.kind !== 'signed') throw new Error(signed.kind);
  const { signature } = signed;
  return ledger.execute(
    { prepared: prepared.value, submissionId, party: transfer.sender, signature },
    options,
  );
}

forBoth(
  'P15 a straggling writer ends an undecided row, reopens a completed one, deletes one: nothing changes',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const network = createNetwork();
    network.next('hold');
    const local = await startLocal(t, world, { ledger: network.wrap });
    const hash = await world.insert({ from: alice, to: bob });
    await local.event('sent');
    const bytes = [Buffer.from(hash.slice(2), 'hex')];
    const refused = async (sql: string): Promise<void> => {
      t.is((await world.db.pool.query(sql, bytes)).rowCount, 0, sql);
    };
    t.is((await world.row(hash)).submission_hash !== null, parties === 'external');
    await refused("update mempool set status = 'failed', error_message = 'time-out' where tx_hash = $1");
    await refused("update mempool set status = 'completed' where tx_hash = $1");
    await refused('delete from mempool where tx_hash = $1');
    t.is((await network.deliver()).kind, 'accepted');
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    await refused("update mempool set status = 'pending' where tx_hash = $1");
    await refused("update mempool set status = 'failed' where tx_hash = $1");
    t.is(network.requests.length, 1);
    t.deepEqual(await world.audit(), []);
  },
);
