// What the fleet shows of an instance that was killed, and what a pause stops, with instances as processes.
import type { ExecutionContext } from 'ava';
import type { FleetInstance } from '../../src/store/operator/fleet.js';
import { cli } from '../cli/support.js';
import { startFleet, startInstance } from '../support/fleet.js';
import { atLength } from '../support/long.js';
import { PACE, scaled } from '../support/pace.js';
import { createWorld } from '../support/world.js';

interface Seen {
  readonly life: string;
  /** What it holds, and what others have taken back from it. */
  readonly rows: number;
  /** On the database's clock. */
  readonly at: number;
}

const PAST_LEASE_MS = scaled(5_000);
const PAUSED_AFTER_MS = scaled(1_000);
/** Well within the ten seconds that such a read may take, on a slow machine too. */
const SLOW_MS = Math.min(2_000, 8_000 / PACE);

atLength(
  'an instance that is killed is called dead within five seconds past its lease, with what it held: by status, /status and the page',
  async (t: ExecutionContext) => {
    const world = await createWorld(t);
    const { db, sandbox } = world;
    const now = async () =>
      (await db.one<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now'))
        .now;
    sandbox.faults.add({ on: 'submit', do: { kind: 'hang' } });
    const env = { LEASE_MS: '3000', SUBMISSION_WINDOW_MS: '20000', CALL_TIMEOUT_MS: '60000' };
    const [victim] = await startFleet(t, world, 1, { ...env, INSTANCE_ID: 'victim' });
    const bob = await world.user({ balance: 0 });
    for (let sent = 0; sent < 3; sent++) await world.insert({ from: await world.user(), to: bob });
    await sandbox.audit.until((log) => log.entries.length === 3);
    const witness = startInstance(t, world, { ...env, INSTANCE_ID: 'witness', ADMIN_ADDRESS: '127.0.0.1:0' });
    await witness.said((line) => line.msg === 'ready');
    const { url } = await witness.said((line) => line.msg === 'admin server listens');

    // Asked for after the answer: an answer's own time is that of its first statement, and the fleet is read later.
    const inStatus = async ({ fleet }: { fleet: readonly FleetInstance[] }): Promise<Seen | null> => {
      const one = fleet.find(({ instance }) => instance === 'victim');
      return one === undefined
        ? null
        : { life: one.life, rows: one.held.rows + one.lostRows, at: await now() };
    };
    const byStatus = async () =>
      await inStatus(JSON.parse((await cli(['status', '--json'], { DATABASE_URL: db.url })).stdout));
    const byHttp = async () =>
      await inStatus(((await (await fetch(`${url}/status`)).json()) as { database: never }).database);
    const called: Record<string, Promise<Seen>> = {
      page: onPage(t, `${url}`, now),
      status: until(world, byStatus),
      '/status': until(world, byHttp),
    };
    // Its first heartbeat says that it is starting.
    await world.until('it is called ready', async () => (await byHttp())?.life === 'ready');
    t.is((await byHttp())?.rows, 3);

    victim?.signal('SIGKILL');
    await victim?.exited;
    const { lease } = await db.one<{ lease: number }>(
      "select (extract(epoch from max(lease_expires_at)) * 1000)::float8 as lease from mempool where claimed_by like 'victim/%'",
    );
    for (const [where, seen] of Object.entries(called)) {
      const { rows, at } = await seen;
      t.is(rows, 3, where);
      t.true(at >= lease, `${where}: not while a lease of it runs`);
      t.true(at <= lease + PAST_LEASE_MS, `${where}: ${Math.round(at - lease)} ms past its lease`);
    }
  },
);

async function until(
  world: Awaited<ReturnType<typeof createWorld>>,
  look: () => Promise<Seen | null>,
): Promise<Seen> {
  let seen: Seen | null = null;
  await world.until('it is called dead', async () => {
    seen = await look();
    return seen?.life === 'dead';
  });
  return seen ?? Promise.reject(new Error('not seen'));
}

/** What a browser gets. */
async function onPage(t: ExecutionContext, url: string, now: () => Promise<number>): Promise<Seen> {
  const leaving = new AbortController();
  t.teardown(() => leaving.abort());
  const { body } = await fetch(`${url}/api/live`, { signal: leaving.signal });
  let unread = '';
  for await (const chunk of body ?? []) {
    unread += Buffer.from(chunk).toString();
    const events = unread.split('\n\n');
    unread = events.pop() ?? '';
    for (const event of events.filter((text) => text.startsWith('event: state\n'))) {
      const { instances } = JSON.parse(event.slice(event.indexOf('data: ') + 6)) as {
        readonly instances: readonly { name: string; life: string; held: number; lost: number }[];
      };
      const one = instances.find(({ name }) => name.startsWith('victim/'));
      if (one?.life === 'dead') return { life: one.life, rows: one.held + one.lost, at: await now() };
    }
  }
  throw new Error('the page ended');
}

atLength(
  'paused, no submission of any instance leaves later than a second after; resumed, all goes on, each row once',
  async (t: ExecutionContext) => {
    const world = await createWorld(t, { dedup: false, latencyMs: 50 });
    const { db, sandbox } = world;
    const { audit, faults } = sandbox;
    const bob = await world.user({ balance: 0 });
    await startFleet(t, world, 3, {
      LEASE_MS: '10000',
      SUBMISSION_WINDOW_MS: '20000',
      CALL_TIMEOUT_MS: '20000',
    });
    // The first command starts the process that they all run in.
    await cli(['status'], { DATABASE_URL: db.url });
    const hashes: string[] = [];
    const quick = await Promise.all(Array.from({ length: 12 }, () => world.user()));
    for (let nonce = 0; nonce < 60; nonce++) {
      for (const from of quick) hashes.push(await world.insert({ from, to: bob, nonce }));
    }
    await audit.until((log) => log.entries.length >= 30);
    // Claimed right before the pause, and slow: without being asked for once more they would leave long after it.
    const slow = await Promise.all(Array.from({ length: 6 }, () => world.user()));
    faults.add({ on: 'StateService/GetActiveContracts', do: { kind: 'slow', ms: SLOW_MS } });
    const late: string[] = [];
    for (const from of slow) late.push(await world.insert({ from, to: bob }));
    const heldOf = async (senders: typeof slow): Promise<number> =>
      (
        await db.one<{ n: number }>(
          `select count(*)::int as n from mempool
            where status = 'pending' and claim_token is not null and from_address = any ($1)`,
          [senders.map(({ address }) => address)],
        )
      ).n;
    await world.until('they are claimed', async () => (await heldOf(slow)) === slow.length);

    const paused = await cli(['pause', '--all', 'the participant is upgraded'], { DATABASE_URL: db.url });
    t.is(paused.code, 0, paused.stderr);
    const { since } = await db.one<{ since: number }>(
      'select (extract(epoch from since) * 1000)::float8 as since from mempool_pauses_v1',
    );
    await world.until('nothing is in flight any more', async () => (await heldOf([...quick, ...slow])) === 0);
    const leftAfter = audit.entries.filter(({ at }) => at > since + PAUSED_AFTER_MS);
    t.deepEqual(
      leftAfter.map(({ at, commandId }) => [commandId, Math.round(at - since)]),
      [],
    );
    const held = await db.query<{ last_error: string | null }>(
      'select last_error from mempool where from_address = any ($1)',
      [slow.map(({ address }) => address)],
    );
    for (const { last_error } of held)
      t.regex(last_error ?? '', /^NOT_SENT: paused: the participant is upgraded/);
    const waiting = await db.query("select from mempool where status = 'pending'");
    t.true(waiting.length > slow.length, 'the pause came in the midst of it');

    faults.clear();
    const resumed = await cli(['resume', '--all'], { DATABASE_URL: db.url });
    t.is(resumed.code, 0, resumed.stderr);
    await world.ended([...hashes, ...late]);
    const { accepted, doubleCommits } = audit.summary();
    t.deepEqual({ accepted, doubleCommits }, { accepted: hashes.length + late.length, doubleCommits: 0 });
    t.deepEqual(await world.audit(), []);
  },
);
