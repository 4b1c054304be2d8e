// Keys of external parties: secp256k1, named by the fingerprint under which topology knows them.
import { createECDH, createHash, createPublicKey, ECDH, type KeyObject, verify } from 'node:crypto';
import { sha256Hex } from './random.js';

/** What the ledger knows about a key. */
export interface PublicKey {
  /** `1220` and 64 hex digits; also an external party's namespace. */
  readonly fingerprint: string;
  /** X.509 SubjectPublicKeyInfo in DER, as hex. */
  readonly spki: string;
}

const CURVE = 'secp256k1';
/** SEQUENCE { SEQUENCE { id-ecPublicKey, secp256k1 }, BIT STRING }, up to an uncompressed point. */
const SPKI_PREFIX = Buffer.from('3056301006072a8648ce3d020106052b8104000a034200', 'hex');
/** Canton's hash purpose for the fingerprint of a public key. */
const FINGERPRINT_PURPOSE = Buffer.from('0000000c', 'hex');

function publicKeyOf(point: Buffer): PublicKey {
  const spki = Buffer.concat([SPKI_PREFIX, point]);
  const digest = createHash('sha256').update(FINGERPRINT_PURPOSE).update(spki).digest('hex');
  return { fingerprint: `1220${digest}`, spki: spki.toString('hex') };
}

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: PublicKey;
}

/** The same label gives the same key, so that a seed reproduces its parties' ids. */
export function deriveKeyPair(label: string): KeyPair {
  const privateKey = sha256Hex(`private key/${label}`);
  const curve = createECDH(CURVE);
  curve.setPrivateKey(Buffer.from(privateKey, 'hex'));
  return { privateKey, publicKey: publicKeyOf(curve.getPublicKey()) };
}

/** Hex or base64, of SubjectPublicKeyInfo or of a bare point, compressed or not. Undefined if it is none of these. */
export function readPublicKey(text: string): PublicKey | undefined {
  const bytes = /^(0x)?([0-9a-f]{2})+$/i.test(text)
    ? Buffer.from(text.replace(/^0x/, ''), 'hex')
    : Buffer.from(text, 'base64');
  try {
    const point = bytes.length === 33 || bytes.length === 65 ? bytes : pointOf(bytes);
    return publicKeyOf(
      Buffer.from(ECDH.convertKey(point, CURVE, undefined, undefined, 'uncompressed') as Buffer),
    );
  } catch {
    return undefined;
  }
}

function pointOf(spki: Buffer): Buffer {
  const {
    kty,
    crv,
    x = '',
    y = '',
  } = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({
    format: 'jwk',
  });
  if (kty !== 'EC' || crv !== CURVE) throw new Error('not a secp256k1 key');
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** Made once a key: that costs as much as a verification. */
const keyObjects = new WeakMap<PublicKey, KeyObject>();

function keyObjectOf(key: PublicKey): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createPublicKey({ key: Buffer.from(key.spki, 'hex'), format: 'der', type: 'spki' });
  keyObjects.set(key, made);
  return made;
}

/** ECDSA with SHA-256, DER: the message is hashed once more, although it is already a hash. */
export const isSignedBy = (key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean =>
  verify('sha256', message, { key: keyObjectOf(key), dsaEncoding: 'der' }, signature);
