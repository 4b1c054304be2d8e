// What several commands take on the command line, checked.
import { InvalidArgumentError } from 'commander';
import type { TxHash } from '../../core/ids.js';
import { isAddress, isTxHash } from '../../transfer/address.js';

export function hashArgument(text: string): TxHash {
  const lower = text.toLowerCase();
  if (isTxHash(lower)) return lower as TxHash;
  throw new InvalidArgumentError('a transaction hash is 0x followed by 64 hex digits');
}

export function addressArgument(text: string): string {
  if (isAddress(text)) return text;
  throw new InvalidArgumentError('an address is 0x followed by 40 hex digits');
}

/** Shown in `status`, to whoever wonders, so it has to say something. */
export function reasonArgument(text: string): string {
  const reason = text.trim();
  if (reason !== '' && reason.length <= 500 && !reason.includes('\0')) return reason;
  throw new InvalidArgumentError('a reason has 1 to 500 characters');
}
