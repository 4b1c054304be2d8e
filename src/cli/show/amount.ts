// What a row moves, as a person says it: for `show`, and for the page.
import { formatUnits } from '../../core/decimal.js';
import type { Tokens } from '../../core/token.js';
import { tokenKey } from '../../transfer/address.js';
import { amountOf } from '../../transfer/amount.js';

export interface ShownAmount {
  /** The symbol; the address where TOKENS_FILE has no such token. */
  readonly token: string;
  readonly tokenAddress: string;
  /** In whole tokens; in the smallest unit where nobody knows the decimals. */
  readonly amount: string;
}

export function shownAmount(bytes: Uint8Array, tokenAddress: string, tokens: Tokens): ShownAmount {
  const token = tokens.get(tokenKey(tokenAddress));
  const amount = amountOf(bytes);
  return {
    token: token?.symbol ?? tokenAddress,
    tokenAddress,
    amount: amount === null ? 'not an amount' : formatUnits(amount, token?.decimals ?? 0),
  };
}

export const amountWords = ({ amount, token, tokenAddress }: ShownAmount): string =>
  token === tokenAddress ? `${amount} of the smallest unit of ${token}` : `${amount} ${token}`;
