// How the ledger names a public key.
import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';

/** X.509 SubjectPublicKeyInfo of an uncompressed point on secp256k1, up to the point. */
const SPKI = Buffer.from('3056301006072a8648ce3d020106052b8104000a034200', 'hex');
/** Canton hashes with a purpose; 12 is that of a public key's fingerprint. */
const PURPOSE = Buffer.from([0, 0, 0, 12]);
/** A multihash's head: SHA-256, 32 bytes. */
const SHA256_32 = '1220';

/** Of a point in either form, 33 or 65 bytes. Throws where it is none. */
export function fingerprintOf(publicKey: Uint8Array): string {
  const point = secp256k1.Point.fromBytes(publicKey).toBytes(false);
  return SHA256_32 + createHash('sha256').update(PURPOSE).update(SPKI).update(point).digest('hex');
}
