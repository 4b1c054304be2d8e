// Processes that die, stop, or have a wrong clock while a submission is under way. Deduplication is off: a second
// submission would be a second effect.
import test from 'ava';
import type { AuditEntry } from '../../src/sandbox/index.js';
import { forBoth } from '../support/both.js';
import { type Instance, type LogLine, startFleet } from '../support/fleet.js';
import { startLocal } from '../support/local.js';
import { LONG } from '../support/long.js';
import { scaledWindow } from '../support/pace.js';
import { createWorld, PARTIES, type World } from '../support/world.js';
import { boundPassed, createNetwork } from './ledger-network.js';

const PATIENT = 60_000;
const is = (msg: string, hash: string) => (line: LogLine) => line.msg === msg && line.txHash === hash;
const looksAt = (hash: string) => (line: LogLine) => is('taken', hash)(line) && line.look === true;

/** All ready, all but the first stopped: who claims when is for the test to say. */
async function oneAwake(
  t: Parameters<typeof startFleet>[0],
  world: World,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<[Instance, ...Instance[]]> {
  const fleet = await startFleet(t, world, count, env);
  for (const sleeper of fleet.slice(1)) sleeper.signal('SIGSTOP');
  return fleet as [Instance, ...Instance[]];
}

async function kill(instance: Instance): Promise<void> {
  instance.signal('SIGKILL');
  await instance.exited;
}

forBoth.serial(
  'P1 sent, killed; those who look after it know ever newer ledger ends, and begin where it was sent from',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
    const { faults, audit } = world.sandbox;
    const [sender, looker] = await oneAwake(t, world, 2, {
      SUBMISSION_WINDOW_MS: '3000',
      CALL_TIMEOUT_MS: '60000',
    });
    if (looker === undefined) return t.fail();
    const silence = { kind: 'dropAnswer', how: 'never' } as const;
    faults.add({ on: 'submit', match: { party: alice.party }, do: silence });
    const before = BigInt(world.sandbox.ledgerEnd());
    const hash = await world.insert({ from: alice, to: bob });
    await audit.until((log) => log.summary().accepted === 1, PATIENT);
    await kill(sender);
    const goOn = async (): Promise<void> => {
      for (let n = 0; n < 5; n++)
        await world.sandbox.control({ kind: 'spend', party: carol.party, keep: true });
    };
    await goOn();

    const stream = 'CommandCompletionService/CompletionStream';
    const deaf = faults.add({ on: stream, do: { kind: 'hang' } });
    looker.signal('SIGCONT');
    await looker.said(looksAt(hash), PATIENT);
    await world.until('it reads', () => (audit.reads.get(stream) ?? 0) > 0);
    await kill(looker);
    await goOn();
    faults.remove(deaf.id);
    await boundPassed(world, hash);

    const network = createNetwork();
    await startLocal(t, world, { ledger: network.wrap });
    await world.ended([hash]);
    t.is((await world.row(hash)).status, 'completed');
    t.is(network.requests.length, 0);
    t.true(network.streams.every(({ beginExclusive }) => beginExclusive <= before));
    t.is(audit.of(hash).length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

forBoth.serial(
  'P4 a submission hangs in the network, its claimers are killed one by one: the next leaves when its bound has passed',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob, carol] = [await world.user(), await world.user(), await world.user()];
    const { faults, audit } = world.sandbox;
    const [first, second, third] = await oneAwake(t, world, 3, { SUBMISSION_WINDOW_MS: '4000' });
    if (second === undefined || third === undefined) return t.fail();
    faults.add({ on: 'submit', match: { party: alice.party }, times: 1, do: { kind: 'hang' } });
    // This one hangs as long as it can and still be accepted.
    const late = { kind: 'hang', deliverAfterMs: 2_000 } as const;
    faults.add({ on: 'submit', match: { party: carol.party }, times: 1, do: late });
    const lost = await world.insert({ from: alice, to: bob });
    const slow = await world.insert({ from: carol, to: bob });
    await audit.until((log) => log.entries.length === 2, PATIENT);
    const bounds = new Map<string, number>();
    for (const hash of [lost, slow]) bounds.set(hash, Number((await world.row(hash)).sent_until));
    await kill(first);
    second.signal('SIGCONT');
    await second.said(looksAt(lost), PATIENT);
    await kill(second);
    third.signal('SIGCONT');
    await third.said(looksAt(lost), PATIENT);

    await world.ended([lost, slow], PATIENT);
    for (const hash of [lost, slow]) t.is((await world.row(hash)).status, 'completed');
    const later = (entry: AuditEntry): boolean => entry.at > (bounds.get(entry.commandId) ?? 0);
    const [, ...again] = audit.of(lost);
    t.true(again.length > 0 && again.every(later), 'nothing left while the first could be accepted');
    const [delivered, ...more] = audit.of(slow);
    t.true(more.every(later));
    // On a machine so slow that the request came too late, it was refused for it, and went again past its bound.
    t.is(more.length === 0, delivered?.outcome.kind === 'accepted');
    t.deepEqual(await world.audit(), []);
  },
);

forBoth.serial(
  'P13 stopped past its lease after its deadline check; the request leaves late: one effect, and its settle is fenced',
  async (t, parties) => {
    const world = await createWorld(t, { parties, dedup: false });
    const [alice, bob] = [await world.user(), await world.user()];
    const { faults, audit } = world.sandbox;
    const [sleepy, other] = await oneAwake(t, world, 2, {
      SUBMISSION_WINDOW_MS: '15000',
      CALL_TIMEOUT_MS: '60000',
      // The other one looks for as long as all this takes.
      LOOK_PATIENCE_MS: '60000',
    });
    if (other === undefined) return t.fail();
    faults.add({ on: 'submit', times: 1, do: { kind: 'hang', deliverAfterMs: 8_000 } });
    const hash = await world.insert({ from: alice, to: bob });
    await audit.until((log) => log.entries.length === 1, PATIENT);
    sleepy.signal('SIGSTOP');
    other.signal('SIGCONT');
    await other.said(looksAt(hash), PATIENT);
    const { claim_token: token } = await world.row(hash);
    t.truthy(token);

    // It wakes up with its call cut off, and would write what it knows: nothing.
    sleepy.signal('SIGCONT');
    const fenced = (line: LogLine): boolean =>
      line.msg === 'the claim was lost: nothing was written' &&
      line.during === 'settle' &&
      line.txHash === hash;
    await sleepy.said(fenced, PATIENT);
    t.is((await world.row(hash)).claim_token, token, 'the row is as the other one holds it');

    await world.ended([hash], PATIENT);
    t.is((await world.row(hash)).status, 'completed');
    t.is(audit.of(hash).length, 1);
    t.deepEqual(await world.audit(), []);
  },
);

const HOUR_MS = 3_600_000;
/** A machine whose clock is wrong, as far as a process can see it. */
const wrongBy = (ms: number): string =>
  `--import data:text/javascript,${encodeURIComponent(
    `const Real = Date; globalThis.Date = class extends Real {
       constructor(...args) { if (args.length === 0) super(Real.now() + ${ms}); else super(...args); }
       static now() { return Real.now() + ${ms}; }
     };`,
  )}`;

/** Hosted ones in process/clock; either way of both where there is the time. */
const WRONG = PARTIES.flatMap((parties) =>
  [5, -5]
    .filter((hours) => LONG || (hours < 0 && parties === 'external'))
    .map((hours) => ({ parties, hours })),
);
for (const { parties, hours } of WRONG) {
  test.serial(
    `P14 the clock of a machine is wrong by ${hours} hours: transfers carry the database's time, nothing is earlier or later (${parties})`,
    async (t) => {
      const world = await createWorld(t, { parties, dedup: false });
      const [alice, bob] = [await world.user(), await world.user()];
      const windowMs = 8_000;
      const [instance] = await startFleet(t, world, 1, {
        SUBMISSION_WINDOW_MS: `${windowMs}`,
        NODE_OPTIONS: wrongBy(hours * HOUR_MS),
      });
      world.sandbox.faults.add({
        on: 'submit',
        times: 1,
        do: { kind: 'refuse', with: { error: 'SEQUENCER_BACKPRESSURE' } },
      });
      const shown = Date.parse(String(instance?.log.find((line) => line.msg === 'ready')?.time));
      t.true(Math.abs(shown - Date.now()) > 4 * HOUR_MS, 'its clock is wrong');
      const began = Date.now();
      const hashes = [
        await world.insert({ from: alice, to: bob, nonce: 0 }),
        await world.insert({ from: alice, to: bob, nonce: 1 }),
      ];
      await world.ended(hashes);
      const ended = Date.now();
      t.is(world.sandbox.audit.summary().ledgerCalls, 3);
      for (const { transfer, maxRecordTime } of world.sandbox.audit.entries) {
        const requestedAt = (transfer?.requestedAt ?? 0) / 1000;
        t.true(requestedAt > began - 6_000 && requestedAt < ended);
        // What bounds it: the transfer's own end, or that of what was prepared.
        const bound = (parties === 'hosted' ? (transfer?.executeBefore ?? 0) : (maxRecordTime ?? 0)) / 1000;
        t.true(bound >= began + scaledWindow(windowMs) && bound <= ended + scaledWindow(windowMs));
      }
      const { odd } = await world.db.one<{ odd: number }>(
        `select count(*)::int as odd from mempool where available_at > now() or claimed_at > now() or status <> 'completed'`,
      );
      t.is(odd, 0);
      t.deepEqual(await world.audit(), []);
    },
  );
}
