// The tokens that a fresh sandbox knows: all of its own issuer, all delivered in one step.

export interface TokenSpec {
  /** EIP-55 checksummed. */
  readonly address: string;
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
}

export const defaultTokens: readonly TokenSpec[] = [
  { address: '0xde30000000000000000000000000000000000001', name: 'Demo', symbol: 'DEMO', decimals: 18 },
  { address: '0xDE30000000000000000000000000000000000002', name: 'Prompt', symbol: 'PROMPT', decimals: 18 },
  { address: '0xDe30000000000000000000000000000000000003', name: 'Demo Dollar', symbol: 'USDD', decimals: 6 },
];

/** The contents of TOKENS_FILE. The instrument's id is the token's symbol, as canton-middleware has it. */
export function tokensFile(tokens: readonly TokenSpec[], issuer: string): string {
  const byAddress = tokens.map(({ address, name, symbol, decimals }) => [
    address,
    { name, symbol, decimals, instrumentAdmin: issuer, instrumentId: symbol, steps: 1 },
  ]);
  return `${JSON.stringify(Object.fromEntries(byAddress), null, 2)}\n`;
}
