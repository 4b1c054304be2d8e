// kill -9 at one step of a row's way, whichever way its sender submits, whatever the participant can do, with and without
// its deduplication: a second process brings the row to its right end, and the ledger has seen one effect.
import type pg from 'pg';
import { type Instance, startFleet, startInstance } from '../support/fleet.js';
import { waitForLocks } from '../support/lock-timeouts.js';
import { PREPARE } from '../support/paced-sandbox.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import {
  createWorld,
  type NewTransfer,
  PARTIES,
  type Parties,
  type User,
  type World,
} from '../support/world.js';

export const STEPS = [
  'before prepare',
  'after prepare',
  'after the record',
  'after the execute left',
  'after the commit, before the answer',
  'after the answer, before settle',
] as const;
export type Step = (typeof STEPS)[number];

export interface KillCase {
  readonly step: Step;
  readonly parties: Parties;
  /** The version of the participant's Ledger API. */
  readonly apiVersion: string;
  readonly dedup: boolean;
}

export const nameOf = ({ step, parties, apiVersion, dedup }: KillCase): string =>
  `${step}, ${parties}, participant ${apiVersion}, deduplication ${dedup ? 'on' : 'off'}`;

/** A hosted transfer is not prepared: that step is the external one's alone. */
export const CASES: readonly KillCase[] = STEPS.flatMap((step) =>
  PARTIES.flatMap((parties) =>
    ['3.4.8', '3.6.0'].flatMap((apiVersion) =>
      [true, false].map((dedup): KillCase => ({ step, parties, apiVersion, dedup })),
    ),
  ),
).filter(({ step, parties }) => parties === 'external' || step !== 'after prepare');

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

interface Scene {
  readonly world: World;
  readonly victim: Instance;
  readonly alice: User;
  /** Between the victim and its database. */
  readonly database: TcpProxy;
  readonly transfer: NewTransfer;
}

const HOLDINGS = 'StateService/GetActiveContracts';
const PATIENT = 60_000;

/** Empty: as it should be. Else what is not. */
export async function killAt(t: Teardown, { step, parties, apiVersion, dedup }: KillCase): Promise<string[]> {
  const world = await createWorld(t, { parties, apiVersion, dedup, latencyMs: 150 });
  await waitForLocks(world.db.query);
  const [alice, bob] = [await world.user(), await world.user({ balance: 0 })];
  const database = await startProxy(t, world.db.url);
  const env = { SUBMISSION_WINDOW_MS: '1500', CALL_TIMEOUT_MS: '20000' };
  const [victim] = await startFleet(t, world, 1, {
    ...env,
    INSTANCE_ID: 'victim',
    // What it cannot renew, it must not lose before it is at its step.
    LEASE_MS: '3000',
    DATABASE_URL: database.through(world.db.url),
    DATABASE_LISTEN_URL: world.db.url,
  });
  if (victim === undefined) throw new Error('no victim');
  const hash = await bringTo[step](
    { world, victim, alice, database, transfer: { from: alice, to: bob, amount: 60 } },
    parties,
  );
  victim.signal('SIGKILL');
  await victim.exited;
  world.sandbox.faults.clear();

  startInstance(t, world, { ...env, INSTANCE_ID: 'heir' });
  await world.ended([hash], PATIENT);
  const { status, last_error } = await world.row(hash);
  const { accepted, doubleCommits } = world.sandbox.audit.summary();
  return [
    ...(status === 'completed' ? [] : [`the row is ${status}: ${last_error}`]),
    ...(accepted === 1 && doubleCommits === 0
      ? []
      : [`${accepted} acceptances, ${doubleCommits} double commits`]),
    ...(await world.audit()),
  ];
}

/** Each resolves with the row's hash when the victim is at that step, and cannot go on. */
const bringTo: Readonly<Record<Step, (scene: Scene, parties: Parties) => Promise<string>>> = {
  async 'before prepare'({ world, alice, transfer }) {
    world.sandbox.faults.add({ on: HOLDINGS, match: { party: alice.party }, do: { kind: 'hang' } });
    const asked = nextRead(world, HOLDINGS);
    const hash = await world.insert(transfer);
    await asked;
    return hash;
  },

  async 'after prepare'({ world, victim, alice, database, transfer }) {
    const hash = await prepares(world, alice, transfer, () => database.blackHole('requests'));
    await victim.said((line) => line.msg === 'prepared', PATIENT);
    return hash;
  },

  /** The statement that writes it is committed, and its answer never comes. For a hosted sender that is the claim. */
  async 'after the record'({ world, alice, database, transfer }, parties) {
    const swallow = (): void => database.blackHole('answers');
    const hash =
      parties === 'external'
        ? await writesAhead(world, alice, transfer, swallow)
        : await claims(world, transfer, swallow);
    await world.until('its record is there', async () => (await world.row(hash)).sent_until !== null);
    return hash;
  },

  async 'after the execute left'({ world, transfer }) {
    const { faults, audit } = world.sandbox;
    faults.add({ on: 'submit', times: 1, do: { kind: 'hang', deliverAfterMs: 300 } });
    const hash = await world.insert(transfer);
    await audit.until((log) => log.entries.length > 0, PATIENT);
    return hash;
  },

  async 'after the commit, before the answer'({ world, transfer }) {
    const { faults, audit } = world.sandbox;
    faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'never' } });
    const hash = await world.insert(transfer);
    await audit.until((log) => log.summary().accepted === 1, PATIENT);
    return hash;
  },

  async 'after the answer, before settle'({ world, victim, database, transfer }) {
    const { audit } = world.sandbox;
    const hash = await world.insert(transfer);
    await audit.until((log) => log.entries.length > 0, PATIENT);
    database.blackHole('requests');
    await victim.said((line) => line.msg === 'answered', PATIENT);
    return hash;
  },
};

const nextRead = (world: World, method: string): Promise<void> => {
  const { audit } = world.sandbox;
  const before = audit.reads.get(method) ?? 0;
  return audit.until((log) => (log.reads.get(method) ?? 0) > before, PATIENT);
};

/** The victim has asked for a preparation, and has its answer only after `meanwhile`. */
async function prepares(
  world: World,
  alice: User,
  transfer: NewTransfer,
  meanwhile: () => void,
): Promise<string> {
  world.sandbox.faults.add({ on: PREPARE, match: { party: alice.party }, do: { kind: 'slow', ms: 150 } });
  const asked = nextRead(world, PREPARE);
  const hash = await world.insert(transfer);
  await asked;
  meanwhile();
  return hash;
}

/** So many such statements of the victim wait for a lock of ours. */
const waitsFor = (world: World, statement: string, times: number): Promise<void> =>
  world.until(`${statement} waits`, async () => {
    const waiting = await world.db.query(
      `select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%' || $1 || '%'`,
      [statement],
    );
    return waiting.length >= times;
  });

/** The victim's claim has left, and finds the row, and has its answer only after `meanwhile`. */
async function claims(world: World, transfer: NewTransfer, meanwhile: () => void): Promise<string> {
  return await locked(world, async (client) => {
    // What a claim locks first: it waits here, and looks at the table when this is over.
    await client.query('lock table mempool in share row exclusive mode');
    const hash = await world.insert({ ...transfer, client });
    await world.db.query("select pg_notify('mempool_wakeup_v1', '')");
    // Its look at undecided rows is a claim too, and goes out beside it.
    await waitsFor(world, 'mempool_claim_v1', 2);
    meanwhile();
    return hash;
  });
}

/** The same of its write-ahead. */
async function writesAhead(
  world: World,
  alice: User,
  transfer: NewTransfer,
  meanwhile: () => void,
): Promise<string> {
  world.sandbox.faults.add({ on: PREPARE, match: { party: alice.party }, do: { kind: 'slow', ms: 300 } });
  const asked = nextRead(world, PREPARE);
  const hash = await world.insert(transfer);
  await asked;
  return await locked(world, async (client) => {
    await client.query('select from mempool for update');
    await waitsFor(world, 'mempool_write_ahead_v1', 1);
    meanwhile();
    return hash;
  });
}

async function locked<T>(world: World, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await world.db.pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } finally {
    client.release();
  }
}
