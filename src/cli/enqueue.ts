import { Command } from 'commander';
import pLimit from 'p-limit';
import { loadEnqueueSettings } from '../config.js';
import { enqueue } from '../store/operator/enqueue.js';
import { exit } from './exit.js';
import { withDatabase } from './support/database.js';
import { type Line, linesOf } from './support/lines.js';
import { sayLost, worksOnUnheard } from './support/output.js';
import { createDecoder, type Decoded, MAX_TEXT, TOO_LONG } from './support/raw-transaction.js';
import { count } from './support/text.js';

interface Tally {
  inserted: number;
  known: number;
  refused: number;
}

/** How many are checked or inserted at a time; there are fewer connections, and the rest wait their turn. */
const AT_ONCE = 16;

async function* given(transactions: readonly string[]): AsyncGenerator<Line> {
  for (const [place, text] of transactions.entries()) yield { kind: 'line', number: place + 1, text };
  if (transactions.length === 0) yield* linesOf(process.stdin.setEncoding('utf8'), MAX_TEXT);
}

const TOO_LONG_LINE: Decoded = { kind: 'refused', reason: TOO_LONG, txHash: null };

async function run(transactions: readonly string[], { json }: { readonly json?: boolean }): Promise<void> {
  const settings = loadEnqueueSettings(process.env);
  const decode = await createDecoder(settings);
  // Inserting is the point of this command: stopping half-way because nobody reads the output would help nobody.
  const output = worksOnUnheard();
  const tally: Tally = { inserted: 0, known: 0, refused: 0 };
  const counted = transactions.length > 0 ? 'no.' : 'line';
  const say = (
    line: Line,
    place: number,
    hash: string | null,
    result: string,
    reason: string | null,
  ): void => {
    if (json) {
      const more = reason === null ? {} : { reason };
      process.stdout.write(`${JSON.stringify({ place, line: line.number, hash, result, ...more })}\n`);
    } else if (reason === null) process.stdout.write(`${hash} ${result}\n`);
    else process.stderr.write(`${counted} ${line.number}: refused: ${reason} (${hash ?? begin(line)})\n`);
  };

  await withDatabase(settings, async (database) => {
    const one = async (line: Line, place: number): Promise<void> => {
      const decoded = line.kind === 'too-long' ? TOO_LONG_LINE : await decode(line.text);
      if (decoded.kind === 'refused') {
        tally.refused += 1;
        return say(line, place, decoded.txHash, 'refused', decoded.reason);
      }
      const inserted = (await enqueue(database, decoded.row)) === 'inserted';
      tally[inserted ? 'inserted' : 'known'] += 1;
      say(line, place, decoded.txHash, inserted ? 'inserted' : 'known', null);
    };
    const limit = pLimit(AT_ONCE);
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    let place = 0;
    for await (const line of given(transactions)) {
      if (line.kind === 'line' && line.text.trim() === '') continue;
      place += 1;
      const mine = place;
      const task = limit(() => one(line, mine))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(task));
      running.add(task);
      // Read no more than is being worked on, and nothing after the database has failed.
      if (running.size >= AT_ONCE) await Promise.race(running);
      if (failures.length > 0) break;
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  });
  const { inserted, known, refused } = tally;
  process.stderr.write(`${count(inserted, 'row')} inserted, ${known} already known, ${refused} refused\n`);
  if (refused > 0) process.exitCode = exit.refused;
  sayLost(output.lost());
}

/** Identifies a line that has no hash. */
const begin = (line: Line): string =>
  `begins with ${JSON.stringify(line.kind === 'line' ? line.text.trim().slice(0, 20) : line.begin)}`;

export function enqueueCommand(): Command {
  return new Command('enqueue')
    .description('insert raw signed ERC-20 transfers, as a wallet passes them to eth_sendRawTransaction')
    .argument('[transactions...]', 'hexadecimal; if there are none, read one per line from stdin')
    .option('--json', 'print one line of JSON for each')
    .addHelpText(
      'after',
      `
Inserts what canton-middleware's API would insert, after the same checks: encoding, chain (CHAIN_ID), signature, no
value, a token in TOKENS_FILE, a call of transfer(address,uint256). Transactions of type 0 (with EIP-155), 1 and 2.
A transaction that exists already is left as it is. Balance, nonce and recipient are not checked, as in the API. Nor is
the API's whitelist: it says who may use the API, and whoever can write to the database does not need it.

Invalid ones are refused with the reason, valid ones are inserted; exit code 3 if any was refused.
Environment: DATABASE_URL, TOKENS_FILE, CHAIN_ID. Needs viem (npm install viem).

Examples:
  canton-submitter enqueue 0x02f8a9…
  canton-submitter enqueue --json < transactions.txt`,
    )
    .action(run);
}
