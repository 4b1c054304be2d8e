import { createSecretKey, randomBytes } from 'node:crypto';
import test from 'ava';
import { SealedKey } from '../../src/core/sealed-key.js';
import { masterKeyFrom, sealKey, withKey } from '../../src/transfer/key.js';

/** AES-256-GCM of the key 1 under 00 01 … 1f with the nonce a0 a1 … ab, computed by another implementation than Node's. */
const MASTER = Uint8Array.from({ length: 32 }, (_, index) => index);
const SEALED = 'oKGio6Slpqeoqaqr5hh8LUXLAr9iZYfTB3rA3nCsWRCSt0JsnA4mhn+rdQC8aVbtwA5GuP4mdtryWpzo';
const ONE = Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? 1 : 0));

const master = createSecretKey(MASTER);
const open = (sealed: string, secret = master) =>
  withKey(new SealedKey(sealed), secret, (key) => Uint8Array.from(key));

test('a key as canton-middleware stores it is opened', (t) => {
  t.deepEqual(open(SEALED), { kind: 'opened', value: ONE });
  // Go's decoder takes a line break too.
  t.deepEqual(open(`${SEALED}\n`), { kind: 'opened', value: ONE });
});

test('what is sealed here is opened, and never looks the same twice', (t) => {
  const key = randomBytes(32);
  const [one, two] = [sealKey(key, MASTER), sealKey(key, MASTER)];
  t.not(one, two);
  t.is(one.length, 80);
  for (const sealed of [one, two]) t.deepEqual(open(sealed), { kind: 'opened', value: Uint8Array.from(key) });
});

test('the key is wiped when its use is over; also when that throws', (t) => {
  const seen: Uint8Array[] = [];
  const { kind } = withKey(new SealedKey(SEALED), master, (key) => {
    t.deepEqual(Uint8Array.from(key), ONE);
    seen.push(key);
  });
  t.is(kind, 'opened');
  t.throws(() =>
    withKey(new SealedKey(SEALED), master, (key) => {
      seen.push(key);
      throw new Error('in between');
    }),
  );
  t.is(seen.length, 2);
  for (const key of seen) t.true(key.every((byte) => byte === 0));
});

test('what cannot be opened says why, without a word of what it holds', (t) => {
  const bytes = Buffer.from(SEALED, 'base64');
  const flipped = (at: number): string => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed.toString('base64');
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /0 bytes/],
    [bytes.subarray(0, 59).toString('base64'), /59 bytes, and an encrypted key has 60/],
    [Buffer.concat([bytes, bytes.subarray(0, 1)]).toString('base64'), /61 bytes/],
    [bytes.toString('hex'), /bytes/],
    [bytes.toString('base64url'), /base64/],
    [SEALED.slice(0, -1), /base64/],
    [` ${SEALED}`, /base64/],
    ['not a key', /base64/],
    [flipped(0), /does not decrypt it/],
    [flipped(20), /does not decrypt it/],
    [flipped(59), /does not decrypt it/],
  ];
  for (const [sealed, said] of cases) {
    const opened = open(sealed);
    if (opened.kind !== 'unreadable') return t.fail(`${sealed} was opened`);
    t.regex(opened.detail, said, sealed);
    for (let at = 0; at + 8 <= sealed.length; at += 8)
      t.false(opened.detail.includes(sealed.slice(at, at + 8)));
  }
  const other = open(SEALED, createSecretKey(randomBytes(32)));
  t.like(other, { kind: 'unreadable', detail: 'CANTON_MASTER_KEY does not decrypt it, or it was altered' });
});

test('a master key is 32 bytes in base64, or the reason names no byte of it', (t) => {
  t.deepEqual(masterKeyFrom(Buffer.from(MASTER).toString('base64')), MASTER);
  for (const bytes of [0, 16, 31, 33, 64]) {
    const text = randomBytes(bytes).toString('base64');
    t.is(masterKeyFrom(text), `must be 32 bytes in base64, as the middleware has it; it has ${bytes}`);
  }
  for (const text of ['correct horse', 'ab=c', Buffer.from(MASTER).toString('base64').slice(0, -1)])
    t.is(masterKeyFrom(text), 'must be base64, as the middleware has it');
});
