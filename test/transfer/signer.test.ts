import {
  createECDH,
  createHash,
  createPublicKey,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { ConfigError } from '../../src/core/errors.js';
import { SealedKey } from '../../src/core/sealed-key.js';
import { sealKey } from '../../src/transfer/key.js';
import { createSigner, fingerprintOf, masterKeyProblem, type Signed } from '../../src/transfer/signer.js';
import { shown } from '../support/secrets.js';

/** The order of secp256k1's group (SEC 2). */
const N = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const master = randomBytes(32);
const signer = createSigner(master);

const sealed = (key: Uint8Array, secret: Uint8Array = master): SealedKey =>
  new SealedKey(sealKey(key, secret));
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex');

function signed(result: Signed) {
  if (result.kind !== 'signed') throw new Error(inspect(result));
  return result.signature;
}

/** r and s of an ASN.1 DER signature, which must be the shortest form. */
function numbersIn(der: Uint8Array): { r: bigint; s: bigint } {
  let at = 2;
  const integer = (): bigint => {
    if (der[at] !== 2) throw new Error('no integer');
    const length = der[at + 1] ?? 0;
    const bytes = der.subarray(at + 2, at + 2 + length);
    if ((bytes[0] ?? 0) > 0x7f || (bytes[0] === 0 && (bytes[1] ?? 0) <= 0x7f)) throw new Error('not minimal');
    at += 2 + length;
    return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  };
  const numbers = { r: integer(), s: integer() };
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || at !== der.length)
    throw new Error('no sequence of two');
  return numbers;
}

/** By OpenSSL alone: the public key of a private one, and how Canton names it. */
function byNode(privateKey: Uint8Array): { publicKey: KeyObject; fingerprint: string; point: Buffer } {
  const ecdh = createECDH('secp256k1');
  ecdh.setPrivateKey(privateKey);
  const point = ecdh.getPublicKey();
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'secp256k1',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256')
    .update(Buffer.from([0, 0, 0, 12]))
    .update(spki)
    .digest('hex');
  return { publicKey, fingerprint: `1220${hash}`, point };
}

test("many keys: Node's crypto verifies the signature, s is low, the DER is the shortest, the fingerprint is Canton's", (t) => {
  for (let round = 0; round < 40; round++) {
    const key = randomBytes(32);
    const hash = randomBytes(32);
    const { der, fingerprint } = signed(signer.sign(sealed(key), hash));
    const { publicKey, fingerprint: expected } = byNode(key);
    // Node hashes what it verifies: ECDSA over SHA-256 of the hash, as the ledger has it.
    t.true(verify('sha256', hash, publicKey, der));
    t.false(verify('sha256', randomBytes(32), publicKey, der));
    t.true(numbersIn(der).s <= N / 2n);
    t.is(fingerprint, expected);
  }
});

test('a published vector of RFC 6979: the key 1 and "Satoshi Nakamoto", with SHA-256', (t) => {
  const { der } = signed(signer.sign(sealed(bytesOf(1n)), Buffer.from('Satoshi Nakamoto')));
  t.deepEqual(numbersIn(der), {
    r: BigInt('0x934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8'),
    s: BigInt('0x2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5'),
  });
});

test('the same key and hash give the same signature, sealed anew or not', (t) => {
  const [key, hash] = [randomBytes(32), randomBytes(32)];
  t.deepEqual(signer.sign(sealed(key), hash), signer.sign(sealed(key), hash));
});

test('the fingerprint of the generator, in either form of the point, as it was computed elsewhere', (t) => {
  const { point } = byNode(bytesOf(1n));
  const expected = '1220ea5e78baa16cdeb93bf877a8315ad593365186631f161cf6e5f40b1e87766f6f';
  t.is(fingerprintOf(point), expected);
  t.is(
    fingerprintOf(Buffer.concat([Buffer.from([2 + ((point[64] ?? 0) & 1)]), point.subarray(1, 33)])),
    expected,
  );
  t.throws(() => fingerprintOf(point.subarray(1)));
  t.throws(() => fingerprintOf(Buffer.concat([point.subarray(0, 64), Buffer.from([1])])));
});
test('a key made and used elsewhere is the same party here', (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const hash = randomBytes(32);
  const here = signed(signer.sign(sealed(scalar), hash));
  t.true(verify('sha256', hash, publicKey, here.der));
  const theirs = createSign('sha256').update(hash).sign(privateKey);
  t.true(verify('sha256', hash, publicKey, theirs));
  t.is(here.fingerprint, byNode(scalar).fingerprint);
});

test('no number outside 1 … n-1 is a key; both ends of that are', (t) => {
  const hash = randomBytes(32);
  for (const number of [0n, N, N + 1n, 2n ** 256n - 1n]) {
    t.deepEqual(signer.sign(sealed(bytesOf(number)), hash), {
      kind: 'unreadable',
      detail: 'what it contains is not a private key of secp256k1',
    });
    t.false(signer.opens(sealed(bytesOf(number))));
  }
  for (const number of [1n, N - 1n]) t.is(signer.sign(sealed(bytesOf(number)), hash).kind, 'signed');
});

test('without a master key nothing is signed; with a wrong one neither, and the reason says which', (t) => {
  const key = sealed(randomBytes(32), randomBytes(32));
  t.deepEqual(createSigner(null).sign(key, randomBytes(32)), { kind: 'no-master-key' });
  t.deepEqual(signer.sign(key, randomBytes(32)), {
    kind: 'unreadable',
    detail: 'CANTON_MASTER_KEY does not decrypt it, or it was altered',
  });
  t.like(signer.sign(new SealedKey('short'), randomBytes(32)), { kind: 'unreadable' });
  for (const length of [0, 16, 31, 33]) {
    t.throws(() => createSigner(randomBytes(length)), {
      instanceOf: ConfigError,
      message: /^CANTON_MASTER_KEY /,
    });
  }
});

test('at start: one stored key that opens is enough, none that does is a wrong master key, none stored is fine', (t) => {
  const [mine, foreign] = [sealed(randomBytes(32)), sealed(randomBytes(32), randomBytes(32))];
  const none = createSigner(null);
  t.is(masterKeyProblem(master, signer, []), null);
  t.is(masterKeyProblem(null, none, []), null);
  t.is(masterKeyProblem(master, signer, [foreign, mine]), null);
  t.regex(
    masterKeyProblem(master, signer, [foreign, foreign]) ?? '',
    /^CANTON_MASTER_KEY decrypts none of the 2 /,
  );
  t.regex(masterKeyProblem(null, none, [mine]) ?? '', /^CANTON_MASTER_KEY is not set/);
});

test('neither the signer nor a sealed key shows what it holds, however it is dumped', (t) => {
  const text = sealKey(randomBytes(32), master);
  const key = new SealedKey(text);
  const dumps = [signer, key, { key }, [key], signer.sign(key, randomBytes(32))].flatMap((one) => [
    inspect(one, { depth: 9, showHidden: true }),
    JSON.stringify(one),
    String(one),
    `${Object.entries(one)}`,
  ]);
  t.is(shown(dumps, { 'the master key': [master], 'the encrypted key': [text] }), null);
});
