// What a claim and a settle cost as the table grows, in every way in which it can: with history, rows that wait, rows in
// flight, one sender's queue, and dead versions that a transaction held open keeps.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Offset } from '../../../src/core/ids.js';
import type { Store } from '../../../src/ports/store.js';
import { settlementOf } from '../../../src/protocol/settlement.js';
import { type Database, openDatabase } from '../../../src/store/pool.js';
import { createStore } from '../../../src/store/store.js';
import { type Figures, quantile, summarize } from '../measure/stats.js';
import { type Context, type Result, result, type Scenario } from '../scenario.js';
import { onStage, type Stage } from '../stage/stage.js';

const SIZES = {
  smallest: { ended: [100], waiting: 100, inFlight: 20, hot: 100, openMs: 200, claims: 10 },
  normal: {
    ended: [1_000, 100_000, 500_000],
    waiting: 100_000,
    inFlight: 2_000,
    hot: 20_000,
    openMs: 20_000,
    claims: 200,
  },
  full: {
    ended: [1_000, 100_000, 1_000_000, 5_000_000],
    waiting: 1_000_000,
    inFlight: 10_000,
    hot: 100_000,
    openMs: 600_000,
    claims: 500,
  },
} as const;

const FILL = `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, status, created_at, available_at)
  select sha256(($1 || i)::bytea), coalesce($4, '0x' || lpad(to_hex(i % 200000), 40, '0')), '0x' || repeat('0', 40),
         '0x' || repeat('1', 40), i, decode(repeat('ab', 68), 'hex'), '\\x01', $3, now() - $5 * interval '1 hour', now() - $5 * interval '1 hour'
    from generate_series(1, $2::int) i`;
const AT_ONCE = 250_000;
const WARM_UP = 20;
const HOT = `0x${'5'.repeat(40)}`;

export const scale: Scenario = {
  name: 'scale',
  about:
    'Milliseconds that a claim of one row and its settle take, one after the other: with ended rows in the table, with others in flight, with rows that wait, behind a sender who owns the oldest of them, and with a transaction that is held open while rows go through. Ratios are to the first line.',
  figure: 'claimMs',
  run: (context) =>
    onStage({ senders: 1, latencyMs: 5 }, async (stage) => {
      const database = openDatabase({ url: stage.url });
      stage.undo(() => database.close());
      const bench = await Bench.of(stage, database, context);
      const sizes = SIZES[context.size];
      let ended = 0;
      for (const wanted of sizes.ended) {
        await bench.fill(`ended-${wanted}`, wanted - ended, 'mined');
        ended = wanted;
        await bench.measure(`ended-${wanted}`, `${wanted} ended`);
      }
      await bench.takeInFlight(sizes.inFlight);
      await bench.measure(`in-flight-${sizes.inFlight}`, `${sizes.inFlight} in flight`);
      await bench.heldOpen(sizes.openMs, () =>
        bench.measure('held-open', `held open ${sizes.openMs / 1_000} s`),
      );
      await bench.fill('waiting', sizes.waiting, 'pending');
      await bench.measure(`waiting-${sizes.waiting}`, `${sizes.waiting} waiting`);
      await bench.fill('hot', sizes.hot, 'pending', { sender: HOT, hoursAgo: 24 });
      // The first of them: whoever comes next has to get by the others.
      await bench.claim(1);
      await bench.measure('hot-sender', `a sender of ${sizes.hot}`);
      return bench.results;
    }),
};

class Bench {
  readonly results: Result[] = [];
  #row = 0;
  /** Made anew after each fill, like an instance that starts: an old one remembers that nothing so old waits. */
  #store: Store;

  private constructor(
    private readonly stage: Stage,
    private readonly database: Database,
    private readonly generation: bigint,
    private readonly context: Context,
  ) {
    this.#store = createStore(database);
  }

  static async of(stage: Stage, database: Database, context: Context): Promise<Bench> {
    const pinned = await createStore(database).pinned();
    return new Bench(stage, database, pinned?.generation ?? 0n, context);
  }

  /** Rows that are this old. */
  async fill(
    name: string,
    count: number,
    status: 'pending' | 'mined',
    { sender = null, hoursAgo = 1 }: { sender?: string | null; hoursAgo?: number } = {},
  ): Promise<void> {
    const { client } = this.stage;
    // The triggers are left out: this is history, and nobody listens.
    await client.query('set session_replication_role = replica');
    for (let done = 0; done < count; done += AT_ONCE) {
      const some = Math.min(AT_ONCE, count - done);
      await client.query(FILL, [`${name}/${done}/`, some, status, sender, hoursAgo]);
    }
    await client.query('set session_replication_role = origin');
    await client.query('vacuum analyze mempool');
    this.#store = createStore(this.database);
  }

  /** Claimed, and never settled. */
  async takeInFlight(count: number): Promise<void> {
    await this.fill('flight', count, 'pending');
    for (let left = count; left > 0; ) {
      const claimed = await this.claim(Math.min(left, 64));
      if (claimed.length === 0) throw new Error('what was filled in was not claimed');
      left -= claimed.length;
    }
    await this.stage.client.query('vacuum analyze mempool');
  }

  /** A snapshot that keeps every dead version, while rows go through for so long, and in what is then measured. */
  async heldOpen(ms: number, measure: () => Promise<void>): Promise<void> {
    const holder = new pg.Client({ connectionString: this.stage.url });
    await holder.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select 1');
    const until = performance.now() + ms;
    while (performance.now() < until) await this.#one();
    await measure();
    await holder.end();
  }

  async measure(name: string, label: string): Promise<void> {
    for (let n = 0; n < WARM_UP; n++) await this.#one();
    const rounds: Figures[] = [];
    for (let round = 0; round < this.context.rounds; round++) {
      const times: { claim: number; settle: number }[] = [];
      for (let n = 0; n < SIZES[this.context.size].claims; n++) times.push(await this.#one());
      const of = (what: 'claim' | 'settle', q: number): number =>
        quantile(
          times.map((one) => one[what]),
          q,
        );
      rounds.push({
        claimMs: of('claim', 0.5),
        claimP99: of('claim', 0.99),
        settleMs: of('settle', 0.5),
        settleP99: of('settle', 0.99),
      });
    }
    const summary = summarize(rounds);
    const [first] = this.results;
    const measured = result(
      scale,
      `scale-${name}`,
      label,
      {
        ours: summary,
        ...(first?.systems.ours === undefined ? {} : { first: first.systems.ours }),
      },
      ['settleMs'],
    );
    this.results.push({ ...measured, systems: { ours: summary } });
    this.context.say(`${label}: claim ${summary.claimMs} ms, settle ${summary.settleMs} ms`);
  }

  /** A fresh row, its claim, its settle. */
  async #one(): Promise<{ claim: number; settle: number }> {
    this.#row += 1;
    const sender = `0x${randomBytes(20).toString('hex')}`;
    await this.stage.client.query(FILL, [`one/${sender}/`, 1, 'pending', sender, 0]);
    const since = performance.now();
    const [claimed] = await this.claim(1);
    const claim = performance.now() - since;
    if (claimed === undefined) throw new Error('the fresh row was not claimed at the first call');
    const settling = performance.now();
    const verdict = {
      kind: 'completed',
      updateId: `u${this.#row}`,
      offset: BigInt(this.#row) as Offset,
      note: null,
    } as const;
    await this.#store.settle([settlementOf(claimed, verdict)]);
    return { claim, settle: performance.now() - settling };
  }

  async claim(limit: number) {
    const reply = await this.#store.claim({
      holder: 'bench',
      limit,
      leaseMs: 3_600_000,
      generation: this.generation,
      sentFrom: 0n as Offset,
      windowMs: 30_000,
    });
    return reply.kind === 'claimed' ? reply.rows : [];
  }
}
