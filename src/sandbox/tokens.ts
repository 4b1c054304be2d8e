// The tokens that a fresh sandbox knows: its own issuer's, delivered in one step, and on demand those of a registry.

export interface TokenSpec {
  /** EIP-55 checksummed. */
  readonly address: string;
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  /** Of the registrar, not of the issuer: its registry moves it at once, or makes an offer to the receiver. */
  readonly registry?: 'direct' | 'offer';
  /** Of a third admin, whose holdings are amulets: a template that nobody but its registry needs to know. */
  readonly amulet?: true;
  /** False: nobody holds any, the issuer neither. */
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
    amulet: true,
  },
];

export interface Admins {
  readonly issuer: string;
  readonly registrar: string;
  readonly dso: string;
  /** Base URL of the registrar's registry. */
  readonly registryUrl: string;
}

/** The contents of TOKENS_FILE. The instrument's id is the token's symbol, as canton-middleware has it. */
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
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(byAddress), null, 2)}\n`;
}

export function adminOf(
  { registry, amulet }: Pick<TokenSpec, 'registry' | 'amulet'>,
  { issuer, registrar, dso }: Omit<Admins, 'registryUrl'>,
): string {
  if (amulet) return dso;
  return registry === undefined ? issuer : registrar;
}
