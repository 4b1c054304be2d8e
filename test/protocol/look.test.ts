import test from 'ava';
import { dbMillis, type Party, type TxHash } from '../../src/core/ids.js';
import { brokenBound } from '../../src/protocol/bound.js';
import { chaseFrom, lookAt } from '../../src/protocol/look.js';
import type { CompletionEvent } from '../../src/protocol/outcome.js';
import { beginBefore, observeProof, proofAtBegin } from '../../src/protocol/proof.js';

const HASH = '0xaa' as TxHash;
const SYNC = 'sync::1';
const record = { sentUntil: dbMillis(1_000), submissionId: 'mine', hash: null };
const SIGNED = { hash: { bytes: new Uint8Array([1, 2, 3]), scheme: 2 } };
const time = (micros: bigint, synchronizerId = SYNC) => ({ synchronizerId, recordTime: micros });

const accepted = (over: Partial<Extract<CompletionEvent, { kind: 'accepted' }>> = {}): CompletionEvent => ({
  kind: 'accepted',
  commandId: HASH,
  submissionId: 'mine',
  updateId: 'u',
  offset: 5n,
  parties: ['a'],
  time: time(0n),
  transactionHash: null,
  paidTraffic: null,
  ...over,
});
const checkpoint = (micros: bigint, synchronizerId = SYNC): CompletionEvent => ({
  kind: 'checkpoint',
  offset: 9n,
  times: [time(micros, synchronizerId)],
});
const at = (event: CompletionEvent, over = {}) => lookAt(event, HASH, { ...record, ...over }, SYNC);

test('an acceptance of the command id is found, and is ours by the submission id, or by what was signed', (t) => {
  t.deepEqual(at(accepted()), {
    kind: 'accepted',
    updateId: 'u',
    offset: 5n,
    submissionId: 'mine',
    ours: true,
  });
  t.like(at(accepted({ submissionId: 'another' })), { kind: 'accepted', ours: false });
  t.like(at(accepted(), { submissionId: null }), { kind: 'accepted', ours: false });
  const foreign = { submissionId: 'another', transactionHash: new Uint8Array([1, 2, 3]) };
  t.like(at(accepted(foreign), SIGNED), { kind: 'accepted', ours: true });
  t.like(at(accepted({ ...foreign, transactionHash: new Uint8Array([1, 2, 4]) }), SIGNED), { ours: false });
  t.like(at(accepted({ ...foreign, transactionHash: null }), SIGNED), { ours: false });
});

test('P7 a checkpoint exactly at the bound decides nothing, one strictly past it is death', (t) => {
  t.is(at(checkpoint(1_000_000n)), null);
  t.deepEqual(at(checkpoint(1_000_001n)), { kind: 'dead', refusal: null });
});

test("another synchronizer's time decides nothing", (t) => {
  t.is(at(checkpoint(9_000_000n, 'other::2')), null);
});

test("another command's acceptance past the bound is as good as a checkpoint", (t) => {
  t.deepEqual(at(accepted({ commandId: '0xbb', time: time(1_000_001n) })), {
    kind: 'dead',
    refusal: null,
  });
  t.is(at(accepted({ commandId: '0xbb', time: time(1_000_000n) })), null);
});

type Rejected = Extract<CompletionEvent, { kind: 'rejected' }>;
const refusal = { kind: 'for-good', blame: 'all', errorId: 'X', detail: '', retryAfterMs: null } as const;
const rejected = (over: Partial<Rejected> = {}): CompletionEvent => ({
  kind: 'rejected',
  commandId: HASH,
  submissionId: 'mine',
  offset: 5n,
  outcome: { kind: 'refused', refusal },
  time: time(5n),
  paidTraffic: null,
  ...over,
});

test('a rejection of a hosted submission decides nothing, whatever its time: another copy may still arrive', (t) => {
  t.is(at(rejected()), null);
});

test('a certain rejection of what was signed is its end; another submission’s, or one that says nothing, is not', (t) => {
  t.deepEqual(at(rejected(), SIGNED), { kind: 'dead', refusal });
  t.is(at(rejected({ submissionId: 'an earlier one' }), SIGNED), null);
  t.is(at(rejected({ commandId: '0xbb' }), SIGNED), null);
  // DUPLICATE_CONFIRMATION_REQUEST_UUID: a copy was sequenced, its own result is not told.
  t.is(at(rejected({ outcome: { kind: 'unknown', detail: '' } }), SIGNED), null);
  t.is(at(rejected(), { ...SIGNED, submissionId: null }), null);
});

test('an acceptance of our own past its bound shows that the bound did not hold', (t) => {
  t.false(brokenBound(1_000_000n, record));
  t.true(brokenBound(1_000_001n, record));
  t.false(brokenBound(9_000_000n, { ...record, sentUntil: null }));
  t.false(brokenBound(9_000_000n, { ...record, submissionId: null }), 'nobody remembers its bound');
});

test('a record without a bound never dies', (t) => {
  t.is(at(checkpoint(9_999_999_999n), { sentUntil: null }), null);
});

test('a duplicate read says where its acceptance is', (t) => {
  const outcome = { kind: 'duplicate', completionOffset: 3n, detail: '' } as const;
  t.deepEqual(
    at({
      kind: 'rejected',
      commandId: HASH,
      submissionId: 'mine',
      offset: 5n,
      outcome,
      time: null,
      paidTraffic: null,
    }),
    { kind: 'duplicate', completionOffset: 3n },
  );
  t.deepEqual(chaseFrom(3n, 10n, 0n), { beginExclusive: 2n, until: 3n });
  t.deepEqual(chaseFrom(null, 10n, 4n), { beginExclusive: 4n, until: 10n });
});

test('P8 a stream is proven by the marked completion, and refuted by passing it', (t) => {
  const mark = { offset: 5n, updateId: 'u', party: 'a' as Party };
  const begin = proofAtBegin(mark);
  t.is(observeProof(begin, mark, accepted({ offset: 4n })), 'awaiting');
  t.is(observeProof(begin, mark, accepted()), 'shown');
  t.is(observeProof(begin, mark, accepted({ updateId: 'other' })), 'missed');
  t.is(observeProof(begin, mark, checkpoint(0n)), 'missed');
  t.is(observeProof('shown', mark, checkpoint(0n)), 'shown');
  t.is(proofAtBegin(null), 'unmarked');
});

test('P1 a look begins before what was sent and before the mark', (t) => {
  const mark = (offset: bigint) => ({ offset, updateId: 'u', party: 'a' as Party });
  t.is(beginBefore(7n, mark(5n)), 4n);
  t.is(beginBefore(3n, mark(5n)), 3n);
  t.is(beginBefore(3n, null), 3n);
});
