import { dbMillis, type Party, type RowId, type TxHash } from '../../src/core/ids.js';
import type { Token, Tokens } from '../../src/core/token.js';
import type { MempoolRow } from '../../src/protocol/record.js';

export const ISSUER = 'issuer::1220' as Party;
export const ADDRESS = '0xDE30000000000000000000000000000000000001';

export const demo: Token = {
  address: ADDRESS,
  name: 'Demo',
  symbol: 'DEMO',
  decimals: 18,
  instrumentAdmin: ISSUER,
  instrumentId: 'DEMO',
  steps: 1,
  offerIsDone: false,
};

export const tokensOf = (...tokens: Token[]): Tokens =>
  new Map(tokens.map((token) => [token.address.toLowerCase(), token]));

export const bytesOf = (amount: bigint): Uint8Array => {
  const hex = amount === 0n ? '' : amount.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
};

export const rowOf = (change: Partial<MempoolRow> = {}): MempoolRow => ({
  id: '1' as RowId,
  txHash: `0x${'ab'.repeat(32)}` as TxHash,
  fromAddress: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  contractAddress: ADDRESS,
  recipientAddress: '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
  nonce: 0n,
  amountData: bytesOf(10n ** 18n),
  createdAt: dbMillis(1_700_000_000_000),
  ...change,
});
