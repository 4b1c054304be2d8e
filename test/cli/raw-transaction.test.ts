import test from 'ava';
import {
  encodeFunctionData,
  erc20Abi,
  type Hex,
  keccak256,
  parseTransaction,
  serializeTransaction,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createDecoder } from '../../src/cli/support/raw-transaction.js';
import type { Token } from '../../src/core/token.js';

const DEMO = '0xDE30000000000000000000000000000000000002';
const RECIPIENT = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const CHAIN = 31337;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const token: Token = {
  address: DEMO,
  name: 'Prompt',
  symbol: 'PROMPT',
  decimals: 18,
  instrumentAdmin: 'issuer::1220',
  instrumentId: 'PROMPT',
  steps: 1,
  offerIsDone: false,
};
const decoder = createDecoder({ chainId: CHAIN, tokens: new Map([[DEMO.toLowerCase(), token]]) });

const transfer = (amount: bigint, to: Hex = RECIPIENT): Hex =>
  encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] });

const common = {
  to: DEMO,
  nonce: 7,
  gas: 21_000n,
  value: 0n,
  data: transfer(10n ** 18n),
  chainId: CHAIN,
} as const;
const kinds = {
  'type 0': { ...common, type: 'legacy', gasPrice: 1n },
  'type 1': {
    ...common,
    type: 'eip2930',
    gasPrice: 1n,
    accessList: [{ address: DEMO, storageKeys: [`0x${'00'.repeat(32)}`] }],
  },
  'type 2': { ...common, type: 'eip1559', maxFeePerGas: 2n, maxPriorityFeePerGas: 0n },
} as const;

for (const [name, tx] of Object.entries(kinds)) {
  test(`${name}: the row is what the API would insert`, async (t) => {
    const raw = await account.signTransaction(tx);
    const decoded = await (await decoder)(raw);
    t.deepEqual(decoded, {
      kind: 'ok',
      txHash: keccak256(raw),
      row: {
        txHash: Buffer.from(keccak256(raw).slice(2), 'hex'),
        fromAddress: account.address,
        contractAddress: DEMO,
        recipientAddress: RECIPIENT,
        nonce: 7n,
        input: Buffer.from(common.data.slice(2), 'hex'),
        amountData: Buffer.from('0de0b6b3a7640000', 'hex'),
      },
    });
    t.is((await (await decoder)(raw.slice(2).toUpperCase())).kind, 'ok', 'case and prefix do not matter');
  });
}

test('amounts are minimal bytes: none for 0, all 32 for the largest; what follows the arguments stays in the input', async (t) => {
  const cases: [bigint, string][] = [
    [0n, ''],
    [1n, '01'],
    [256n, '0100'],
    [2n ** 256n - 1n, 'ff'.repeat(32)],
  ];
  for (const [amount, hex] of cases) {
    const data: Hex = `${transfer(amount)}c0ffee`;
    const decoded = await (await decoder)(await account.signTransaction({ ...kinds['type 2'], data }));
    if (decoded.kind !== 'ok') return t.fail(decoded.reason);
    t.is(Buffer.from(decoded.row.amountData).toString('hex'), hex);
    t.is(`0x${Buffer.from(decoded.row.input).toString('hex')}`, data);
  }
});

const signed = (more: object): Promise<Hex> =>
  account.signTransaction({ ...kinds['type 2'], ...more } as never);
/** The other signature that anybody can make of one. */
async function highS(): Promise<Hex> {
  const { r, s, yParity, ...tx } = parseTransaction(await signed({}));
  if (r === undefined || s === undefined || yParity === undefined) throw new Error('not signed');
  const other = `0x${(ORDER - BigInt(s)).toString(16).padStart(64, '0')}` as const;
  return serializeTransaction(tx as never, { r, s: other, yParity: yParity === 0 ? 1 : 0 });
}

const refusals: [string, () => Promise<string>, RegExp][] = [
  ['no hex', async () => 'hello', /not hexadecimal/],
  ['half a byte', async () => '0x123', /not hexadecimal/],
  ['noise', async () => '0x02c0ffee', /not an encoded transaction/],
  ['something behind it', async () => `${await signed({})}00`, /not (an encoded|the canonical)/],
  ['unsigned', async () => serializeTransaction(kinds['type 2']), /not signed/],
  ['another chain', () => signed({ chainId: 1 }), /signed for chain 1, not 31337/],
  [
    'no chain',
    () => account.signTransaction({ ...kinds['type 0'], chainId: undefined } as never),
    /without a chain id/,
  ],
  ['the higher signature', highS, /not the lower of two/],
  ['a deployment', () => signed({ to: undefined }), /deploys a contract/],
  ['value', () => signed({ value: 1n }), /value must be 0/],
  ['an unknown token', () => signed({ to: RECIPIENT }), /is not a token in TOKENS_FILE/],
  [
    'another method',
    () =>
      signed({ data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [RECIPIENT, 1n] }) }),
    /does not call transfer/,
  ],
  ['no call', () => signed({ data: '0x' }), /does not call transfer/],
  ['arguments cut off', () => signed({ data: transfer(1n).slice(0, -2) }), /cut off/],
  [
    'dirt before the address',
    () => signed({ data: transfer(1n).replace('a9059cbb00', 'a9059cbb01') }),
    /not an address/,
  ],
];
for (const [name, make, reason] of refusals) {
  test(`refused: ${name}`, async (t) => {
    const decoded = await (await decoder)(await make());
    t.is(decoded.kind, 'refused');
    t.regex(decoded.kind === 'refused' ? decoded.reason : '', reason);
  });
}
