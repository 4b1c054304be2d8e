// The tokens of a new sandbox: its own issuer's, delivered in one step, and on request those of a registry.

import type { RegistryTransfers } from './daml/contracts.js';

export interface TokenSpec {
  /** EIP-55 checksummed. */
  readonly address: string;
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  /**
   * The registrar's, not the issuer's: its registry moves it directly, makes an offer to the receiver, or commits with
   * nothing moved.
   */
  readonly registry?: RegistryTransfers;
  /**
   * Belongs to an admin with its own holding templates: Canton Coin's, or one that only its registry knows, so that
   * TOKENS_FILE has to describe it.
   */
  readonly holdings?: 'amulet' | 'deposit';
  /** False: nobody holds any, not even the issuer. */
  readonly minted?: false;
}

export const defaultTokens: readonly TokenSpec[] = [
  { address: '0xde30000000000000000000000000000000000001', name: 'Demo', symbol: 'DEMO', decimals: 18 },
  { address: '0xDE30000000000000000000000000000000000002', name: 'Prompt', symbol: 'PROMPT', decimals: 18 },
  { address: '0xDe30000000000000000000000000000000000003', name: 'Demo Dollar', symbol: 'USDD', decimals: 6 },
];

export const registryTokens: readonly TokenSpec[] = [
  {
    address: '0xc1A0000000000000000000000000000000000001',
    name: 'USD Coin x',
    symbol: 'USDCx',
    decimals: 6,
    registry: 'direct',
  },
  {
    address: '0xc1A0000000000000000000000000000000000002',
    name: 'Offered Euro',
    symbol: 'EURO',
    decimals: 6,
    registry: 'offer',
  },
  {
    address: '0xc1a0000000000000000000000000000000000003',
    name: 'Amulet',
    symbol: 'Amulet',
    decimals: 10,
    registry: 'direct',
    holdings: 'amulet',
  },
  {
    address: '0xc1A0000000000000000000000000000000000004',
    name: 'Gold in deposit',
    symbol: 'GOLD',
    decimals: 10,
    registry: 'direct',
    holdings: 'deposit',
  },
];

export interface Admins {
  readonly issuer: string;
  readonly registrar: string;
  readonly dso: string;
  readonly custodian: string;
  /** Base URL of the registrar's registry. */
  readonly registryUrl: string;
}

/** The contents of TOKENS_FILE. An instrument's id is the token's symbol, as in canton-middleware. */
export function tokensFile(tokens: readonly TokenSpec[], { registryUrl, ...admins }: Admins): string {
  const byAddress = tokens.map((token) => [
    token.address,
    {
      name: token.name,
      symbol: token.symbol,
      decimals: token.decimals,
      instrumentAdmin: adminOf(token, admins),
      instrumentId: token.symbol,
      ...(token.registry === undefined ? {} : { registryUrl }),
      steps: token.registry === 'offer' ? 2 : 1,
      ...(token.holdings === 'deposit' ? { holding: DEPOSIT } : {}),
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(byAddress), null, 2)}\n`;
}

/** Where a deposit keeps its fields. */
const DEPOSIT = {
  template: 'Foreign.Deposit:Deposit',
  owner: 'terms.holder',
  amount: 'terms.units',
  admin: 'custodian',
  lock: 'kept',
};

export function adminOf(
  { registry, holdings }: Pick<TokenSpec, 'registry' | 'holdings'>,
  { issuer, registrar, dso, custodian }: Omit<Admins, 'registryUrl'>,
): string {
  if (holdings !== undefined) return holdings === 'amulet' ? dso : custodian;
  return registry === undefined ? issuer : registrar;
}
