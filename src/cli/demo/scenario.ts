// What happens in the demo: users with keys, and the transfers they sign. Everything follows from the seed.
import { createHash } from 'node:crypto';
import { DECIMAL_PLACES } from '../../core/decimal.js';
import type { Token } from '../../core/token.js';
import type { NewRow } from '../../store/operator/enqueue.js';
import { createDecoder, loadViem } from '../support/raw-transaction.js';

export interface DemoUser {
  readonly address: string;
  readonly hint: string;
  /** Half of them are external, with a key that the middleware keeps; one fleet serves both kinds. */
  readonly external: boolean;
  sign(transfer: Unsigned): Promise<string>;
}

interface Unsigned {
  readonly contract: string;
  readonly to: string;
  readonly amount: bigint;
  readonly nonce: number;
}

export interface DemoRow {
  /** `0x…`, the command id. */
  readonly hash: string;
  readonly from: number;
  readonly to: number;
  readonly token: Token;
  /** In the token's smallest unit. */
  readonly amount: bigint;
  readonly row: NewRow;
}

export interface Plan {
  readonly rows: number;
  readonly senders: number;
  readonly seed: string;
  readonly chainId: number;
  readonly tokens: readonly Token[];
}

/** The most that one transfer moves, in whole tokens. */
export const LARGEST = 10;

const digest = (...parts: readonly (string | number)[]): Buffer =>
  createHash('sha256').update(parts.join('/')).digest();

/** At least two, since somebody has to receive. */
export async function createUsers({ senders, seed, chainId }: Plan): Promise<DemoUser[]> {
  const viem = await loadViem();
  const { privateKeyToAccount } = await import('viem/accounts');
  return Array.from({ length: Math.max(senders, 2) }, (_, index) => {
    const account = privateKeyToAccount(`0x${digest(seed, 'key', index).toString('hex')}`);
    return {
      address: account.address,
      hint: `demo-${index + 1}`,
      external: index % 2 === 1,
      sign: ({ contract, to, amount, nonce }) => {
        const data = viem.encodeFunctionData({
          abi: viem.erc20Abi,
          functionName: 'transfer',
          args: [viem.getAddress(to), amount],
        });
        const common = { chainId, to: viem.getAddress(contract), nonce, gas: 21_000n, data };
        // Wallets differ: some still sign the old way.
        return nonce % 4 === 3
          ? account.signTransaction({ ...common, type: 'legacy', gasPrice: 1n })
          : account.signTransaction({ ...common, type: 'eip1559', maxFeePerGas: 1n });
      },
    };
  });
}

/** Signed as a wallet does, then checked and decoded by the code of `enqueue`. */
export async function createRows(plan: Plan, users: readonly DemoUser[]): Promise<DemoRow[]> {
  const { rows, senders, seed, chainId, tokens } = plan;
  const decode = await createDecoder({
    chainId,
    tokens: new Map(tokens.map((token) => [token.address.toLowerCase(), token])),
  });
  const made: DemoRow[] = [];
  for (let index = 0; index < rows; index++) {
    const random = digest(seed, 'row', index);
    // Round robin: with more senders than transfers in flight, nobody waits for an earlier transfer of the same
    // sender.
    const from = index % senders;
    const to = (from + 1 + (random.readUInt32LE(0) % (users.length - 1))) % users.length;
    const token = tokens[random.readUInt32LE(4) % tokens.length];
    const [sender, receiver] = [users[from], users[to]];
    if (token === undefined || sender === undefined || receiver === undefined)
      throw new Error('the plan has no transfers');
    const amount = amountOf(token, random.readBigUInt64LE(8));
    const nonce = Math.floor(index / senders);
    const decoded = await decode(
      await sender.sign({ contract: token.address, to: receiver.address, amount, nonce }),
    );
    if (decoded.kind === 'refused') throw new Error(`a transfer of the demo was refused: ${decoded.reason}`);
    made.push({ hash: decoded.txHash, from, to, token, amount, row: decoded.row });
  }
  return made;
}

/** Between 0 and LARGEST, and no finer than the ledger's ten decimal places. */
function amountOf({ decimals }: Token, random: bigint): bigint {
  const places = Math.min(decimals, DECIMAL_PLACES);
  const units = 1n + (random % (BigInt(LARGEST) * 10n ** BigInt(places) - 1n));
  return units * 10n ** BigInt(decimals - places);
}
