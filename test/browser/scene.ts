// What the page is looked at with: an hour of history, rows that were made, that failed, that parked, and that are under way.
import { randomBytes } from 'node:crypto';
import { exponentOf } from '../../src/observe/sample.js';
import { startFleet } from '../support/fleet.js';
import { createWorld, type World } from '../support/world.js';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

export interface Scene {
  readonly world: World;
  /** Where one of the instances serves its page. */
  readonly url: string;
  readonly parked: readonly string[];
  readonly failed: readonly string[];
}

export const TOKEN = 'the-token-of-this-scene';
const UNKNOWN = '0x00000000000000000000000000000000000000ff';

export async function setScene(t: Teardown, { token = '' } = {}): Promise<Scene> {
  const world = await createWorld(t, { latencyMs: 400 });
  const users = await Promise.all(Array.from({ length: 6 }, () => world.user({ balance: 10_000 })));
  const [alice, bob, carol, poor] = [...users, await world.user({ balance: 3 })].slice(-4);
  if (alice === undefined || bob === undefined || carol === undefined || poor === undefined)
    throw new Error('no users');
  await hourBefore(world);
  const fleet = await startFleet(t, world, 3, {
    ADMIN_ADDRESS: '127.0.0.1:0',
    ADMIN_TOKEN: token,
    LEASE_MS: '20000',
  });
  const listens = await fleet[0]?.said((line) => line.msg === 'admin server listens');
  const parked = await Promise.all(
    [
      { from: alice, amount: 1_250.5 },
      { from: bob, amount: 75 },
    ].map((one) => world.insert({ ...one, to: carol, contract: UNKNOWN })),
  );
  const failed = [
    await world.insert({ from: poor, to: alice, amount: 4_999.999 }),
    await world.insert({ from: carol, to: `0x${randomBytes(20).toString('hex')}`, amount: 12 }),
  ];
  const made = await Promise.all(
    users.flatMap((from, at) =>
      Array.from({ length: 3 }, (_, nonce) =>
        world.insert({ from, to: users[(at + 1) % users.length] ?? alice, nonce: nonce + 10, amount: 1.25 }),
      ),
    ),
  );
  await world.ended([...failed, ...made]);
  await world.until('rows have parked', async () => {
    const rows = await Promise.all(parked.map((hash) => world.row(hash)));
    return rows.every((row) => row.parked);
  });
  return { world, url: String(listens?.url), parked, failed };
}

/** A busy hour with an outage of the ledger in it, by three instances. */
async function hourBefore({ db }: World): Promise<void> {
  const state = (rows: number, oldestMs: number | null) => ({ rows, oldestMs: rows > 0 ? oldestMs : null });
  const samples: { readonly ago: number; readonly holder: string; readonly sample: object }[] = [];
  for (let ago = 3_590; ago > 0; ago -= 10) {
    const wave = 1 + 0.4 * Math.sin(ago / 300);
    const out = ago > 1_500 && ago < 1_800;
    const behind = ago > 1_200 && ago < 1_800 ? Math.min(1_800 - ago, ago - 1_200) : 0;
    for (const holder of ['one', 'two', 'three'])
      samples.push({
        ago,
        holder,
        sample: {
          ms: 10_000,
          completed: out ? 0 : Math.round(22 * wave),
          failed: out || ago % 90 !== 0 ? 0 : 1,
          parked: 0,
          calls: out ? 1 : Math.round(22.4 * wave),
          retries: out
            ? { SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT: 1 }
            : ago % 300 === 0
              ? { LOCAL_VERDICT_LOCKED_CONTRACTS: 2 }
              : {},
          wait: { [exponentOf(4 + 3 * wave + behind * 900)]: 19, [exponentOf(30 + behind * 1_200)]: 2 },
          call: out ? {} : { [exponentOf(6_000 * wave)]: 19, [exponentOf(13_000 * wave)]: 2 },
        },
      });
    const queue = {
      waiting: state(Math.round(3 + 8 * behind), 400 + behind * 1_000),
      'in-flight': state(out ? 3 : Math.round(48 * wave), 9_000),
      undecided: state(ago % 400 < 60 ? 2 : 0, 40_000),
      backoff: state(out ? 12 : 0, 5_000),
      parked: state(0, null),
    };
    samples.push({ ago, holder: '', sample: { queue, tookMs: 1 } });
  }
  await db.query(
    `insert into mempool_samples_v1 (at, holder, sample)
     select now() - s.ago * interval '1 second', s.holder, s.sample
       from jsonb_to_recordset($1::jsonb) s(ago float8, holder text, sample jsonb)`,
    [JSON.stringify(samples)],
  );
}
