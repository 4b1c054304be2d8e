// `migrate`, from what the build before left, on a table with a long history, while an API inserts: how long the longest
// insert takes, which is how long a lock may be. `npm run bench -- migrate-live [rows]`.
import pg from 'pg';
import { startPostgres } from '../../../src/cli/support/throwaway-postgres.js';
import { migrate } from '../../../src/store/migrate/migrate.js';
import { type Figures, quantile } from '../measure/stats.js';
import { result, type Scenario, takeTurns } from '../scenario.js';

const SIZES = { smallest: 2_000, normal: 500_000, full: 5_000_000 } as const;
const AT_ONCE = 250_000;

/** The indexes, and the number, of the build before; it had none of the triggers that remember. */
const BEFORE = `
  drop trigger mempool_remember_v1 on mempool;
  drop trigger mempool_answer_v1 on mempool;
  drop trigger mempool_truncate_v1 on mempool;
  drop index mempool_lane_v2, mempool_claimed_lane_v2, users_address_v1;
  drop table mempool_ended_v1;
  alter table mempool drop column sent_by, drop column same_nonce_ok;
  create index mempool_lane_v1 on mempool (hashtextextended(from_address, 0), (sent_until is null), nonce, id)
    where status = 'pending' and available_at < 'infinity';
  create unique index mempool_claimed_lane_v1 on mempool (hashtextextended(from_address, 0))
    where status = 'pending' and claim_token is not null;
  update mempool_submitter_v1 set protocol = 1, database_oid = null, table_oid = null`;

const MINED = `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data, status)
  select sha256(('m' || i)::bytea), '0x' || lpad(to_hex(i % 200000), 40, '0'), '0x' || repeat('0', 40), '0x' || repeat('1', 40),
         i, decode(repeat('ab', 68), 'hex'), '\\x01', 'mined' from generate_series($1::int, $2::int) i`;

const LIVE = `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
  values (sha256(('live' || $1::text)::bytea), '0xa', 't', 'r', 1, '', '') on conflict (tx_hash) do nothing`;

export const migrateLive: Scenario = {
  name: 'migrate-live',
  about:
    'An update of a table with a long history while an API inserts: seconds that `migrate` takes, and the longest that an insert took meanwhile, in milliseconds.',
  figure: 'longestInsertMs',
  async run(context) {
    const rows = SIZES[context.size];
    const summaries = await takeTurns(context, `${rows} rows`, [{ name: 'ours' }], () => migrated(rows));
    return [result(migrateLive, 'migrate-live', `${rows} rows`, summaries)];
  },
};

async function migrated(rows: number): Promise<Figures> {
  const server = await startPostgres({ settings: { synchronous_commit: 'off', max_wal_size: '4GB' } });
  const options = {
    url: server.url,
    lanes: null,
    toleranceMs: null,
    clockSkewMaxMs: null,
    oneStepTokens: [],
    say: () => {},
  };
  const client = new pg.Client({ connectionString: server.url });
  try {
    await migrate({ ...options, create: true });
    await client.connect();
    await client.query(BEFORE);
    await client.query(`insert into users (evm_address, canton_party, fingerprint)
      select '0x' || lpad(to_hex(i), 40, '0'), 'p' || i, 'f' from generate_series(1, 200000) i`);
    for (let from = 0; from < rows; from += AT_ONCE)
      await client.query(MINED, [from, Math.min(from + AT_ONCE, rows) - 1]);
    await client.query('analyze');

    let over = false;
    const times: number[] = [];
    const inserting = (async () => {
      for (let n = 0; !over; n++) {
        const since = performance.now();
        await client.query(LIVE, [n]);
        times.push(performance.now() - since);
      }
    })();
    const since = performance.now();
    await migrate(options);
    const took = performance.now() - since;
    over = true;
    await inserting;
    return {
      migrateSeconds: took / 1_000,
      longestInsertMs: Math.max(...times),
      insertP50: quantile(times, 0.5),
    };
  } finally {
    await client.end();
    await server.stop();
  }
}
