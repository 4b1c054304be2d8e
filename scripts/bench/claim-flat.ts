// What a claim costs with no rows in flight, and with many: rows in flight must not be in its way.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { quantile } from './latency-idle.js';
import { startBench } from './setup.js';

const IN_FLIGHT = [0, 500, 2_000, 10_000];
const CLAIMS = 300;

export async function claimFlat(): Promise<void> {
  const bench = await startBench();
  const database = openDatabase({ url: bench.url });
  const store = createStore(database);
  const client = new pg.Client({ connectionString: bench.url });
  await client.connect();
  let first = Number.NaN;
  try {
    const { rows } = await client.query<{ generation: string }>(
      'select generation from mempool_submitter_v1',
    );
    const request = {
      holder: 'bench',
      limit: 4,
      leaseMs: 3_600_000,
      generation: BigInt(rows[0]?.generation ?? 0),
      sentFrom: 0n,
      windowMs: 30_000,
    };
    const fill = async (count: number): Promise<void> => {
      await client.query(
        `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
         select decode(md5(random()::text) || md5(random()::text), 'hex'), 'f' || md5(random()::text), '0x', '0x', 0, '', '' from generate_series(1, $1)`,
        [count],
      );
      for (let left = count; left > 0; ) {
        const reply = await store.claim({ ...request, limit: 64 });
        left -= reply.kind === 'claimed' ? reply.rows.length : 0;
      }
    };
    let inFlight = 0;
    for (const wanted of IN_FLIGHT) {
      if (wanted > inFlight) await fill(wanted - inFlight);
      inFlight = wanted;
      await client.query('vacuum analyze mempool');
      const times: number[] = [];
      for (let n = 0; n < CLAIMS; n++) {
        await bench.insert(client, {
          ...bench.nextRow(),
          from: { address: `0x${randomBytes(20).toString('hex')}`, party: '' },
        });
        const since = performance.now();
        const reply = await store.claim(request);
        times.push(performance.now() - since);
        if (reply.kind !== 'claimed' || reply.rows.length !== 1)
          throw new Error('the fresh row was not claimed at the first call');
        await client.query(
          "update mempool set status = 'failed', lease_expires_at = null, sent_until = null, sent_from = null, submission_id = null, submission_party = null, sent_on = null where id = $1",
          [reply.rows[0]?.row.id],
        );
      }
      const p50 = quantile(times, 0.5);
      if (Number.isNaN(first)) first = p50;
      console.log(
        `${String(wanted).padStart(6)} in flight: claim p50 ${p50.toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms, x ${(p50 / first).toFixed(2)}`,
      );
    }
  } finally {
    await client.end();
    await database.close();
    await bench.stop();
  }
}
