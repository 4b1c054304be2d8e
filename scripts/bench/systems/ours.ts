// The service, with its defaults.
import type { BenchRow } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { CONCURRENCY, countOf, type System, startMany } from './system.js';

const TOKEN = '0xde30000000000000000000000000000000000001';
/** A thousandth of the token, which has 18 decimals. */
const AMOUNT = '\\x038d7ea4c68000';
const COLUMNS = 'tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data';

const INSERT = `insert into mempool (${COLUMNS}) values ($1, $2, '${TOKEN}', $3, $4, '\\x', '${AMOUNT}')`;
const FILL = `insert into mempool (${COLUMNS}) select hash, sender, '${TOKEN}', receiver, nonce, '\\x', '${AMOUNT}'
  from unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[]) with ordinality r(hash, sender, receiver, nonce, n) order by n`;

export const ours = (stage: Stage): System => ({
  name: 'ours',
  async insert(client, { hash, from, to, nonce }) {
    await client.query({ name: 'ours', text: INSERT, values: [hash, from.address, to.address, nonce] });
  },
  async fill(client, rows) {
    await client.query(FILL, columns(rows));
  },
  left: (client) => countOf(client, "select count(*)::int from mempool where status = 'pending'"),
  start: (instances, how = {}) =>
    startMany(
      instances,
      (index) => ({
        args: ['run'],
        env: { ...stage.env, CONCURRENCY: `${CONCURRENCY}`, INSTANCE_ID: `bench-${index + 1}`, ...how.env },
        node: how.node ?? [],
      }),
      ['"msg":"ready"', '"msg":"listener connected"'],
    ),
});

const columns = (rows: readonly BenchRow[]): unknown[] => [
  rows.map(({ hash }) => hash),
  rows.map(({ from }) => from.address),
  rows.map(({ to }) => to.address),
  rows.map(({ nonce }) => nonce),
];
