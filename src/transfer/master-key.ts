// Whether this process can sign at all. Asked before it claims anything: else every external row would be its own surprise.
import type { SealedKey } from '../core/sealed-key.js';
import type { Signer } from './signer.js';

/**
 * `stored`: some of the keys in `users`. One that opens is enough: a damaged one is its own row's trouble. Null: all
 * is well, or nobody has a key.
 */
export function masterKeyProblem(
  masterKey: Uint8Array | null,
  signer: Signer,
  stored: readonly SealedKey[],
): string | null {
  if (stored.length === 0 || stored.some((key) => signer.opens(key))) return null;
  return masterKey === null
    ? "CANTON_MASTER_KEY: it is not set, and `users` holds encrypted keys; set it to the middleware's, or CANTON_MASTER_KEY_FILE to a file with it"
    : `CANTON_MASTER_KEY: it opens none of ${stored.length} keys that were tried in \`users\`; set it to the one that the middleware encrypts with`;
}
