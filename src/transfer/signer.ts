// Signs for external parties. What is signed has been inspected before it comes here.
import { createHash, createSecretKey } from 'node:crypto';
import { isPrivate, pointCompress, pointFromScalar, sign } from 'tiny-secp256k1';
import { ConfigError } from '../core/errors.js';
import type { SealedKey } from '../core/sealed-key.js';
import type { Signature } from '../core/transfer.js';
import { withKey } from './key.js';

export type Signed =
  | { readonly kind: 'signed'; readonly signature: Signature }
  /** This process has no master key. */
  | { readonly kind: 'no-master-key' }
  /**
   * The row's own key cannot be used: nobody here can sign for this party until a person has looked. Contains nothing
   * of the key.
   */
  | { readonly kind: 'unreadable'; readonly detail: string };

export interface Signer {
  /** `hash`: of a prepared transaction, 32 bytes. The same key and hash give the same signature. */
  sign(key: SealedKey, hash: Uint8Array): Signed;
  /** Whether the master key decrypts it and it contains a key. False without a master key. */
  opens(key: SealedKey): boolean;
}

const MASTER_KEY_BYTES = 32;
/** X.509 SubjectPublicKeyInfo of an uncompressed point on secp256k1, up to the point. */
const SPKI = Buffer.from('3056301006072a8648ce3d020106052b8104000a034200', 'hex');
/** Canton hashes with a purpose; 12 is the purpose for the fingerprint of a public key. */
const PURPOSE = Buffer.from([0, 0, 0, 12]);
/** The head of a multihash: SHA-256, 32 bytes. */
const SHA256_32 = '1220';

export function createSigner(masterKey: Uint8Array | null): Signer {
  if (masterKey !== null && masterKey.length !== MASTER_KEY_BYTES) {
    throw new ConfigError([
      `CANTON_MASTER_KEY must be ${MASTER_KEY_BYTES} bytes; it has ${masterKey.length}`,
    ]);
  }
  // Kept in an object that no dump shows.
  const secret = masterKey === null ? null : createSecretKey(masterKey);
  const fingerprints = createFingerprints();
  return {
    sign(key, hash) {
      if (secret === null) return { kind: 'no-master-key' };
      const opened = withKey(key, secret, (privateKey) =>
        isPrivate(privateKey)
          ? { der: signature(privateKey, hash), fingerprint: fingerprints.of(key, privateKey) }
          : null,
      );
      if (opened.kind !== 'opened') return opened;
      return opened.value === null
        ? { kind: 'unreadable', detail: 'what it contains is not a private key of secp256k1' }
        : { kind: 'signed', signature: opened.value };
    },
    opens(key) {
      if (secret === null) return false;
      const opened = withKey(key, secret, isPrivate);
      return opened.kind === 'opened' && opened.value;
    },
  };
}

/**
 * ECDSA treats the hash as its message, so it is hashed once more. RFC 6979, low S: by libsecp256k1, compiled to WebAssembly,
 * which wipes its copy of the key.
 */
function signature(privateKey: Uint8Array, hash: Uint8Array): Uint8Array {
  const message = createHash('sha256').update(hash).digest();
  return derOf(sign(message, privateKey));
}

/** DER of r and s, 32 bytes each: a sequence of two integers, each as short as it can be and not negative. */
function derOf(compact: Uint8Array): Uint8Array {
  const integers = [compact.subarray(0, 32), compact.subarray(32)].map((bytes) => {
    const from = bytes.findIndex((byte) => byte !== 0);
    const digits = bytes.subarray(from);
    const padding = (digits[0] ?? 0) > 0x7f ? [0] : [];
    return Buffer.from([0x02, padding.length + digits.length, ...padding, ...digits]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

/** Senders whose fingerprint is kept: making one costs nearly as much as the signature, and it is not a secret. */
const KEPT = 10_000;

function createFingerprints() {
  /** By the key as it is stored, encrypted. */
  const kept = new Map<string, string>();
  return {
    of(key: SealedKey, privateKey: Uint8Array): string {
      const stored = key.reveal();
      const known = kept.get(stored);
      if (known !== undefined) return known;
      const fingerprint = fingerprintOf(pointOf(privateKey));
      const [oldest] = kept.keys();
      if (oldest !== undefined && kept.size >= KEPT) kept.delete(oldest);
      kept.set(stored, fingerprint);
      return fingerprint;
    },
  };
}

function pointOf(privateKey: Uint8Array): Uint8Array {
  const point = pointFromScalar(privateKey, false);
  if (point === null) throw new Error('a private key of secp256k1 has a public one');
  return point;
}

/** How the ledger names a public key, given as a point in either form, 33 or 65 bytes. Throws if it is not one. */
export function fingerprintOf(publicKey: Uint8Array): string {
  const point = pointCompress(publicKey, false);
  return SHA256_32 + createHash('sha256').update(PURPOSE).update(SPKI).update(point).digest('hex');
}

/**
 * Whether this process can sign at all. Asked before it claims anything; otherwise every external row would be a
 * surprise. `stored`: some of the keys in `users`. One that decrypts is enough, since a damaged key concerns only its
 * own rows. Null: no problem, or nobody has a key.
 */
export function masterKeyProblem(
  masterKey: Uint8Array | null,
  signer: Signer,
  stored: readonly SealedKey[],
): string | null {
  if (stored.length === 0 || stored.some((key) => signer.opens(key))) return null;
  return masterKey === null
    ? "CANTON_MASTER_KEY is not set, and `users` contains encrypted keys: set it to the middleware's key, or CANTON_MASTER_KEY_FILE to a file that contains it"
    : `CANTON_MASTER_KEY decrypts none of the ${stored.length} keys that were tried from \`users\`: set it to the key that the middleware encrypts with`;
}
