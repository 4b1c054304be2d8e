import { createInterface } from 'node:readline';
import { Command } from 'commander';
import pLimit from 'p-limit';
import { loadEnqueueSettings } from '../config.js';
import { enqueue } from '../store/enqueue.js';
import { exit } from './exit.js';
import { withDatabase } from './support/database.js';
import { createDecoder } from './support/raw-transaction.js';
import { count } from './support/text.js';

interface Tally {
  inserted: number;
  known: number;
  refused: number;
}

/** Being checked or inserted at one time; connections are fewer, and the rest waits its turn. */
const AT_ONCE = 16;

async function* given(transactions: readonly string[]): AsyncGenerator<string> {
  if (transactions.length > 0) yield* transactions;
  else yield* createInterface({ input: process.stdin });
}

async function run(transactions: readonly string[], { json }: { readonly json?: boolean }): Promise<void> {
  const settings = loadEnqueueSettings(process.env);
  const decode = await createDecoder(settings);
  const tally: Tally = { inserted: 0, known: 0, refused: 0 };
  const say = (place: number, hash: string | null, result: string, reason: string | null): void => {
    if (json) {
      process.stdout.write(
        `${JSON.stringify({ place, hash, result, ...(reason === null ? {} : { reason }) })}\n`,
      );
    } else if (reason !== null) process.stderr.write(`no. ${place}: refused: ${reason}\n`);
    else process.stdout.write(`${hash} ${result}\n`);
  };

  await withDatabase(settings, async (database) => {
    const one = async (raw: string, place: number): Promise<void> => {
      const decoded = await decode(raw);
      if (decoded.kind === 'refused') {
        tally.refused += 1;
        return say(place, null, 'refused', decoded.reason);
      }
      const inserted = (await enqueue(database, decoded.row)) === 'inserted';
      tally[inserted ? 'inserted' : 'known'] += 1;
      say(place, decoded.txHash, inserted ? 'inserted' : 'known', null);
    };
    const limit = pLimit(AT_ONCE);
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    let place = 0;
    for await (const raw of given(transactions)) {
      if (raw.trim() === '') continue;
      place += 1;
      const mine = place;
      const task = limit(() => one(raw, mine))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(task));
      running.add(task);
      // No more is read than is worked on, and nothing after the database has failed.
      if (running.size >= AT_ONCE) await Promise.race(running);
      if (failures.length > 0) break;
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  });
  const { inserted, known, refused } = tally;
  process.stderr.write(`${count(inserted, 'row')} inserted, ${known} known already, ${refused} refused\n`);
  if (refused > 0) process.exitCode = exit.refused;
}

export function enqueueCommand(): Command {
  return new Command('enqueue')
    .description('insert raw signed ERC-20 transfers, as a wallet gives them to eth_sendRawTransaction')
    .argument('[transactions...]', 'hexadecimal; without any, one a line from stdin')
    .option('--json', 'one line of JSON for each')
    .addHelpText(
      'after',
      `
Inserts what canton-middleware's API would insert, after the same checks: encoding, chain (CHAIN_ID), signature, no
value, a token of TOKENS_FILE, a call of transfer(address,uint256). Transactions of type 0 (with EIP-155), 1 and 2.
A transaction that is there already stays as it is. Balance, nonce and recipient are not looked at, as in the API.
The API's whitelist is not consulted: it says who may use the API, and whoever may write to the database does not.

A bad one is refused with its reason, the good ones go in; exit code 3 if any was refused.
Environment: DATABASE_URL, TOKENS_FILE, CHAIN_ID. Needs viem (npm install viem).`,
    )
    .action(run);
}
