// A stored key, decrypted for as long as it is used. The only place where a private key is in the clear.
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import type { SealedKey } from '../core/sealed-key.js';

/**
 * As canton-middleware stores it: base64 of the nonce, ciphertext and tag of AES-256-GCM, without additional data.
 */
const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const SEALED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

export type Opened<T> =
  | { readonly kind: 'opened'; readonly value: T }
  /** The reason mentions lengths at most, never any content. */
  | { readonly kind: 'unreadable'; readonly detail: string };

/**
 * Passes the private key to `use` and wipes it when that returns or throws. `use` must not keep it.
 */
export function withKey<T>(
  sealed: SealedKey,
  masterKey: KeyObject,
  use: (privateKey: Uint8Array) => T,
): Opened<T> {
  const bytes = fromBase64(sealed.reveal());
  if (bytes === null) return unreadable('it is not base64');
  if (bytes.length !== SEALED_BYTES) {
    return unreadable(`it has ${bytes.length} bytes, and an encrypted key has ${SEALED_BYTES}`);
  }
  const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES + KEY_BYTES));
  // In the clear from here on, although the tag has not been checked yet.
  const privateKey = decipher.update(bytes.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES));
  try {
    if (!isAuthentic(decipher)) return unreadable('CANTON_MASTER_KEY does not decrypt it, or it was altered');
    return { kind: 'opened', value: use(privateKey) };
  } finally {
    privateKey.fill(0);
  }
}

/** The reverse, for the demo and for tests. */
export function sealKey(privateKey: Uint8Array, masterKey: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce, { authTagLength: TAG_BYTES });
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()]);
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64');
}

/** Decodes the master key from base64, or says what is wrong without revealing any of it. */
export function masterKeyFrom(text: string): Uint8Array | string {
  const bytes = fromBase64(text);
  if (bytes === null) return 'must be base64, as the middleware has it';
  return bytes.length === KEY_BYTES
    ? new Uint8Array(bytes)
    : `must be ${KEY_BYTES} bytes in base64, as the middleware has it; it has ${bytes.length}`;
}

/** Strict, unlike Node's: padded, the standard alphabet, line breaks ignored, as Go's decoder does. */
function fromBase64(text: string): Buffer | null {
  const plain = text.replace(/[\r\n]/g, '');
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : null;
}

function isAuthentic(decipher: { final(): Buffer }): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

const unreadable = (detail: string): Opened<never> => ({ kind: 'unreadable', detail });
