// What a person names a row by.
import { InvalidArgumentError } from 'commander';
import type { TxHash } from '../../core/ids.js';
import { isAddress, isTxHash } from '../../transfer/address.js';

export function hash(text: string): TxHash {
  const lower = text.toLowerCase();
  if (isTxHash(lower)) return lower as TxHash;
  throw new InvalidArgumentError('a transaction hash is 0x followed by 64 hex digits');
}

export function sender(text: string): string {
  if (isAddress(text)) return text;
  throw new InvalidArgumentError('an address is 0x followed by 40 hex digits');
}
