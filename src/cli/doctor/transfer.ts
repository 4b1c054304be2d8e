// `doctor --transfer`: one transfer between two of the operator's own users, inserted as a row. The running instances
// process it like any other: recorded, bounded, looked up, so that it happens once whatever becomes of this command.
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config.js';
import { CommandRefused, ConfigError } from '../../core/errors.js';
import type { Token } from '../../core/token.js';
import type { UserParty } from '../../core/user-party.js';
import { type Finding, fail, ok, wait } from '../../preflight/finding.js';
import { monotonic } from '../../runtime/clock.js';
import { sleep } from '../../runtime/timers.js';
import { roleProblem } from '../../store/errors.js';
import { enqueue, nextNonce, watchedRow } from '../../store/operator/enqueue.js';
import type { Database } from '../../store/pool.js';
import { byValue, findUser } from '../../store/users.js';
import { tokenKey } from '../../transfer/address.js';
import { sure } from '../support/confirm.js';
import { TRANSFER_SELECTOR } from '../support/raw-transaction.js';
import { duration } from '../support/text.js';

export interface TransferFlags {
  readonly transfer?: string;
  readonly from?: string;
  readonly to?: string;
  readonly token?: string;
  readonly yes?: boolean;
  /** ms */
  readonly patience?: number;
}

/** A transfer takes seconds; one that is looked up first, two to three minutes. */
const TRANSFER_MS = 180_000;
const ASK_EVERY_MS = 250;

/** Empty if the flags are complete and fit together. */
export function transferMisuse({ transfer, from, to, token }: TransferFlags): readonly string[] {
  const named = [from, to, token].some((one) => one !== undefined);
  if (transfer === undefined) return named ? ['--from, --to and --token need --transfer AMOUNT'] : [];
  return [
    ...(from === undefined ? ['--transfer needs --from, a party or address of `users`'] : []),
    ...(to === undefined ? ['--transfer needs --to, a party or address of `users`'] : []),
  ];
}

/** Null: the person at the terminal said no. */
export async function transferFinding(
  database: Database,
  config: Config,
  flags: TransferFlags,
): Promise<Finding | null> {
  const check = 'transfer';
  const token = tokenOf(config, flags.token);
  const amount = rawAmountOf(flags.transfer ?? '', token);
  const [from, to] = [await one(database, flags.from ?? ''), await one(database, flags.to ?? '')];
  if (from.party === to.party) throw new ConfigError(['--from and --to are the same party']);
  const what = `${flags.transfer} ${token.symbol} from ${from.address} to ${to.address}`;
  if (!flags.yes && !(await sure(`Really send ${what}?`, 'nothing was sent'))) return null;
  const txHash = randomBytes(32);
  const hash = `0x${txHash.toString('hex')}`;
  try {
    await enqueue(database, {
      txHash,
      fromAddress: from.address,
      contractAddress: token.address,
      recipientAddress: to.address,
      nonce: await nextNonce(database, from.address),
      input: callOf(to, amount),
      amountData: bytesOf(amount),
    });
  } catch (error) {
    const role = roleProblem(error, config.database.shown);
    if (role === null) throw error;
    return fail(
      check,
      role,
      'nothing was sent: give a DATABASE_URL whose role may also do what `enqueue` needs',
    );
  }
  const began = monotonic.elapsed();
  const patienceMs = flags.patience ?? TRANSFER_MS;
  for (;;) {
    const row = await watchedRow(database, txHash);
    const took = duration(monotonic.elapsed() - began);
    if (row === null) return fail(check, `the row of ${hash} is gone`, 'find out who deletes rows');
    if (row.status === 'completed' || row.status === 'mined')
      return ok(check, `${what}: completed in ${took}, update ${row.update_id}, row ${hash}`);
    if (row.status === 'failed') return fail(check, `${what}: failed: ${row.reason}`, `row ${hash}`);
    if (row.parked)
      return fail(check, `${what}: parked: ${row.reason}`, `fix the cause, then replay --hash ${hash}`);
    if (monotonic.elapsed() - began > patienceMs) {
      const claimed = row.attempts > 0 || row.claimed_by !== null;
      return wait(
        check,
        `${what}: not done after ${took}${row.reason === null ? '' : ` (${row.reason})`}`,
        claimed
          ? `it is still being processed: see canton-submitter status, row ${hash}`
          : `is an instance running? The row stays, and the next instance will process it: ${hash}`,
      );
    }
    await sleep(ASK_EVERY_MS);
  }
}

async function one(database: Database, given: string): Promise<UserParty> {
  const [user, other] = await findUser(database, given);
  if (user === undefined) throw new CommandRefused(`${given} is not an address or party in \`users\``);
  if (other !== undefined)
    throw new CommandRefused(`${given} is the party of several users: give an address instead`);
  return user;
}

function tokenOf({ tokens }: Config, given: string | undefined): Token {
  const [only, second] = tokens.values();
  const token = given === undefined ? (second === undefined ? only : undefined) : tokens.get(tokenKey(given));
  if (token !== undefined) return token;
  throw new ConfigError([
    given === undefined
      ? 'TOKENS_FILE has several tokens: choose one with --token 0x…'
      : `${given} is not a token in TOKENS_FILE`,
  ]);
}

/** Whole tokens to the token's smallest unit, exactly. */
function rawAmountOf(text: string, { decimals, symbol }: Pick<Token, 'decimals' | 'symbol'>): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,60})(?:\.(\d{1,60}))?$/.exec(text) ?? [];
  const significant = fraction.replace(/0+$/, '');
  const amount = significant.length > decimals ? 0n : BigInt(`0${whole}${significant.padEnd(decimals, '0')}`);
  if (amount > 0n && amount < 2n ** 256n) return amount;
  throw new ConfigError([
    `--transfer ${text}: give an amount of ${symbol} above 0, with ${decimals} decimal places at most`,
  ]);
}

const word = (hex: string): string => hex.padStart(64, '0');
const callOf = ({ address }: UserParty, amount: bigint): Uint8Array =>
  Buffer.from(`${byValue(TRANSFER_SELECTOR)}${word(byValue(address))}${word(amount.toString(16))}`, 'hex');

/** Big-endian, no leading zeros. */
function bytesOf(amount: bigint): Uint8Array {
  const hex = amount.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
