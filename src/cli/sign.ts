// `canton-submitter sign`: the raw transaction that a wallet would pass to eth_sendRawTransaction, for `enqueue`.
import { Command, InvalidArgumentError } from 'commander';
import type { Hex } from 'viem';
import { loadSignSettings } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { Token, Tokens } from '../core/token.js';
import { isAddress, tokenKey } from '../transfer/address.js';
import { addressArgument } from './support/arguments.js';
import { loadViem } from './support/raw-transaction.js';

interface Flags {
  readonly to: Hex;
  readonly amount: string;
  readonly token: string;
  readonly nonce: number;
  readonly key?: Hex;
}

async function run(flags: Flags): Promise<void> {
  const { tokens, chainId } = loadSignSettings(process.env);
  const token = tokenOf(tokens, flags.token);
  const amount = unitsOf(flags.amount, token);
  const key = flags.key ?? keyIn(process.env.SIGNING_KEY);
  const viem = await loadViem();
  const { privateKeyToAccount } = await import('viem/accounts');
  const raw = await privateKeyToAccount(key).signTransaction({
    type: 'eip1559',
    chainId,
    to: viem.getAddress(token.address),
    nonce: flags.nonce,
    gas: 21_000n,
    maxFeePerGas: 1n,
    data: viem.encodeFunctionData({
      abi: viem.erc20Abi,
      functionName: 'transfer',
      args: [viem.getAddress(flags.to), amount],
    }),
  });
  process.stdout.write(`${raw}\n`);
}

export function tokenOf(tokens: Tokens, wanted: string): Token {
  const all = [...tokens.values()];
  const found = isAddress(wanted)
    ? all.filter(({ address }) => tokenKey(address) === tokenKey(wanted))
    : all.filter(({ symbol }) => symbol === wanted);
  const [token] = found;
  if (token !== undefined && found.length === 1) return token;
  const known = all.map(({ symbol, address }) => `${symbol} (${address})`).join(', ');
  throw new ConfigError([
    found.length > 1
      ? `--token: TOKENS_FILE has ${found.length} tokens called ${wanted}: give the address of one`
      : `--token: TOKENS_FILE has no ${wanted}, only ${known || 'no token at all'}`,
  ]);
}

/** Whole tokens to the smallest unit. Nothing is rounded: a wallet's user would get another transfer than the one asked for. */
export function unitsOf(amount: string, { symbol, decimals }: Pick<Token, 'symbol' | 'decimals'>): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  if (fraction.length > decimals)
    throw new ConfigError([
      `--amount: ${symbol} has ${decimals} decimal places, ${amount} has ${fraction.length}`,
    ]);
  return BigInt(`${whole}${fraction.padEnd(decimals, '0')}`);
}

function keyIn(text: string | undefined): Hex {
  if (!text)
    throw new ConfigError(["give the sender's private key: --key, or SIGNING_KEY in the environment"]);
  if (isKey(text)) return withPrefix(text);
  throw new ConfigError([`SIGNING_KEY: ${KEY}`]);
}

const KEY = 'a private key is 32 bytes as 64 hex digits, above 0';
const isKey = (text: string): boolean => /^(0x)?[0-9a-f]{64}$/i.test(text) && !/^(0x)?0+$/.test(text);
const withPrefix = (text: string): Hex => `0x${text.replace(/^0x/i, '')}`;

/** Its text is not repeated: commander would print the key. */
function key(text: string): Hex {
  if (isKey(text)) return withPrefix(text);
  throw new ConfigError([`--key: ${KEY}`]);
}

const address = (text: string): Hex => withPrefix(addressArgument(text)).toLowerCase() as Hex;

function amount(text: string): string {
  if (/^\d{1,78}(\.\d+)?$/.test(text)) return text;
  throw new InvalidArgumentError('an amount is a number of whole tokens, for example 1.5');
}

function nonce(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('a nonce is a whole number, 0 or more');
}

export function signCommand(): Command {
  return new Command('sign')
    .description(
      'sign an ERC-20 transfer, and print the raw transaction, for `enqueue` or eth_sendRawTransaction',
    )
    .requiredOption('--to <address>', 'who is paid', address)
    .requiredOption('--amount <n>', 'in whole tokens, for example 1.5', amount)
    .requiredOption('--token <symbol>', 'symbol or address of a token in TOKENS_FILE')
    .option('--nonce <n>', "one more than that of the sender's last transfer", nonce, 0)
    .option('--key <key>', "the sender's private key, as hex (default: SIGNING_KEY)", key)
    .addHelpText(
      'after',
      `
Works offline. For trials: other processes of this machine can see --key, so a key that matters belongs in a wallet.
Environment: TOKENS_FILE, CHAIN_ID, SIGNING_KEY. Needs viem (npm install viem).

Examples:
  canton-submitter sign --token DEMO --amount 1.5 --to $BOB_ADDRESS --key $ALICE_KEY
  canton-submitter sign --token DEMO --amount 2 --to $BOB_ADDRESS --key $ALICE_KEY --nonce 1 | canton-submitter enqueue`,
    )
    .action(run);
}
