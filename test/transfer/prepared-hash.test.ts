// Our hash against what others computed: fixtures made with the reference implementation, the official package.
import { readFileSync } from 'node:fs';
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import test from 'ava';
import { preparedHash, UnhashableError } from '../../src/transfer/prepared-hash.js';
import { messageOf, ownScenario, seal } from './prepared.js';
import { metadataOf, rootOf } from './prepared-edit.js';
import { registryScenario } from './prepared-registry.js';
import { v } from './prepared-values.js';

interface Vector {
  readonly prepared: string;
  readonly v2: string | null;
  readonly v3: string;
}
interface Kind {
  readonly name: string;
  readonly prepared: string;
  readonly v2: string;
}

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));
const vectors = fixture('prepared-hash.json') as Vector[];
const kinds = fixture('prepared-hash-kinds.json') as Kind[];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = ({ prepared }: { readonly prepared: string }): Buffer => Buffer.from(prepared, 'base64');

test('every vector has its hash of V3, and of V2 where there is one', (t) => {
  for (const [index, vector] of vectors.entries()) {
    const bytes = bytesOf(vector);
    t.is(hex(preparedHash(bytes, 3)), vector.v3, `V3 of ${index}`);
    if (vector.v2 !== null) t.is(hex(preparedHash(bytes, 2)), vector.v2, `V2 of ${index}`);
    else {
      const thrown = t.throws(
        () => preparedHash(bytes, 2),
        { instanceOf: UnhashableError },
        `V2 of ${index}`,
      );
      t.true(thrown?.needsV3);
    }
  }
  t.true(vectors.some(({ v2 }) => v2 === null));
});

for (const kind of kinds) {
  test(`V2 of ${kind.name}`, (t) => {
    t.is(hex(preparedHash(bytesOf(kind), 2)), kind.v2);
  });
}

test('the official package has the same V2 of our own transactions', async (t) => {
  for (const scenario of [ownScenario(), registryScenario('direct'), registryScenario('offer')]) {
    const message = messageOf(scenario);
    const bytes = PreparedTransaction.toBinary(message);
    t.is(hex(preparedHash(bytes, 2)), await hashPreparedTransaction(message, 'hex'));
  }
});

/** V2 leaves the bound out of what is signed, which is why there is a V3. */
test('V3 covers the maximum record time, V2 does not', (t) => {
  const message = messageOf(ownScenario());
  const before = PreparedTransaction.toBinary(message);
  metadataOf(message).maxRecordTime = 1n + (metadataOf(message).maxRecordTime ?? 0n);
  const after = PreparedTransaction.toBinary(message);
  t.is(hex(preparedHash(before, 2)), hex(preparedHash(after, 2)));
  t.not(hex(preparedHash(before, 3)), hex(preparedHash(after, 3)));
});

test('a text is hashed as it was written, a byte order mark and half a character included', (t) => {
  const hashed = (text: string) => {
    const message = messageOf(ownScenario());
    rootOf(message).chosenValue = v.text(text);
    return hex(preparedHash(PreparedTransaction.toBinary(message), 3));
  };
  t.not(hashed('\ufeffDEMO'), hashed('DEMO'));
  t.not(hashed('\ufffd'), hashed('?'));
});

test('no two readings of the same bytes: what is there twice, cut off or no UTF-8 is refused', async (t) => {
  const { transaction } = await seal(messageOf(ownScenario()));
  const twice = Buffer.concat([transaction, transaction]);
  t.throws(() => preparedHash(twice, 2), { message: /there twice/ });
  t.throws(() => preparedHash(transaction.subarray(0, -1), 2), { message: /too early/ });
  const text = Buffer.from(transaction);
  text[text.indexOf('TransferFactory_Transfer')] = 0xff;
  t.throws(() => preparedHash(text, 2), { message: /not UTF-8/ });
  t.throws(() => preparedHash(new Uint8Array(), 2), { message: /half of it is missing/ });
});

test('a node with two parents, or in a circle, has no hash', (t) => {
  const circle = messageOf(ownScenario());
  rootOf(circle).children.push('0');
  t.throws(() => preparedHash(PreparedTransaction.toBinary(circle), 3), { message: /two parents/ });
  const shared = messageOf(ownScenario());
  rootOf(shared).children.push('1');
  t.throws(() => preparedHash(PreparedTransaction.toBinary(shared), 3), { message: /two parents/ });
});

test('a field that no hash covers is skipped, whatever its wire type', (t) => {
  const bytes = PreparedTransaction.toBinary(messageOf(ownScenario()));
  // Fields 900 to 903: a varint, eight bytes, a text, four bytes.
  const unknown = Buffer.from('a03801a9380102030405060708b2380161bd3801020304', 'hex');
  t.is(hex(preparedHash(Buffer.concat([bytes, unknown]), 3)), hex(preparedHash(bytes, 3)));
});

test('a seed that is not 32 bytes, and one that is missing, make no hash', (t) => {
  const short = messageOf(ownScenario());
  for (const one of short.transaction?.nodeSeeds ?? []) one.seed = Buffer.alloc(31);
  t.throws(() => preparedHash(PreparedTransaction.toBinary(short), 2), { message: /seed/ });
  const none = messageOf(ownScenario());
  if (none.transaction) none.transaction.nodeSeeds = [];
  t.throws(() => preparedHash(PreparedTransaction.toBinary(none), 2), { message: /no seed/ });
});

test('contract ids are hashed as the bytes they stand for; what is not hex is refused', (t) => {
  const message = messageOf(ownScenario());
  rootOf(message).contractId = '00zz';
  t.throws(() => preparedHash(PreparedTransaction.toBinary(message), 2), { message: /not hex/ });
});
