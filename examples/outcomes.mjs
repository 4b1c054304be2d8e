// Books every completed transfer once, in a table of your own: each outcome comes at least once, and the key drops repetitions.
import { outcomes } from 'canton-mempool-submitter';
import pg from 'pg';

const books = new pg.Pool({ connectionString: process.env.BOOKS_URL ?? process.env.DATABASE_URL });
await books.query(
  'create table if not exists booked (tx_hash text primary key, sender text, recipient text, token text, amount numeric)',
);

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

// The name is what the database remembers how far you have come by. Start this twice: the second waits until the first ends.
for await (const outcome of outcomes({ consumer: 'books', signal: stop.signal })) {
  const { kind, txHash, sender, recipient, token, amount } = outcome;
  if (kind === 'parked') console.error(`${txHash} waits for a person: ${outcome.reason}`);
  if (kind !== 'completed') continue;
  const { rowCount } = await books.query(
    'insert into booked values ($1, $2, $3, $4, $5) on conflict do nothing',
    [txHash, sender, recipient, token, amount],
  );
  if (rowCount === 1) console.log(`${txHash} booked`);
  // Asking for the next one acknowledges this one: if we die before, it comes again.
}
await books.end();
