import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import { Any } from '#proto/google/protobuf/any.js';
import { Status } from '#proto/google/rpc/status.js';
import { classifyRead, classifySubmission } from '../../src/ledger/classify.js';
import { statusOfCompletion, statusOfError } from '../../src/ledger/status.js';
import { errorOf, statusMessage } from './answers.js';

test('everything that Canton packs is read', (t) => {
  const answer = {
    code: 'ALREADY_EXISTS',
    id: 'DUPLICATE_COMMAND',
    category: 10,
    metadata: { completion_offset: '7' },
    retryMs: 1500,
    requestId: 'r',
    resources: [['CONTRACT_ID', '00ab']],
  } as const;
  const status = statusOfError(errorOf(answer));
  t.like(status, {
    code: 'ALREADY_EXISTS',
    errorId: 'DUPLICATE_COMMAND',
    messageId: 'DUPLICATE_COMMAND',
    category: 10,
    details: 'error-info',
    retryAfterMs: 1500,
    message: 'DUPLICATE_COMMAND(10,abcdef12): a cause',
  });
  t.is(status.metadata.get('completion_offset'), '7');
  t.deepEqual(status.resources, ['CONTRACT_ID=00ab']);
  t.deepEqual(statusOfCompletion(statusMessage(answer)), status);
});

test('what does not come from a participant has no details', (t) => {
  for (const error of [
    new Error('reset'),
    null,
    undefined,
    'text',
    14,
    { code: 'ECONNREFUSED' },
    { metadata: {} },
  ]) {
    t.like(statusOfError(error), { errorId: null, details: 'none', code: 'UNKNOWN' });
  }
});

test('a wait that makes no sense is ignored, and none is longer than ten minutes', (t) => {
  const wait = (retryMs: number) =>
    statusOfError(errorOf({ code: 'ABORTED', id: 'X', retryMs })).retryAfterMs;
  t.is(wait(0), 0);
  t.is(wait(60_000), 60_000);
  t.is(wait(-5_000), null);
  t.is(wait(600_000), 600_000);
  t.is(wait(86_400_000), 600_000);
  t.is(wait(1e12), 600_000);
});

const bytes = fc.uint8Array({ maxLength: 300 });
const any = fc.record({
  typeUrl: fc.oneof(
    fc
      .constantFrom('ErrorInfo', 'RetryInfo', 'RequestInfo', 'ResourceInfo')
      .map((name) => `x/google.rpc.${name}`),
    fc.string(),
  ),
  value: bytes,
});

test('garbage in the details is read without throwing, and is never taken for a certain answer', (t) => {
  const code = fc.integer({ min: -3, max: 40 });
  const packed = fc
    .record({ code, message: fc.string(), details: fc.array(any, { maxLength: 5 }) })
    .map(({ details, ...rest }) =>
      new Status({ ...rest, details: details.map((one) => new Any(one)) }).serialize(),
    );
  fc.assert(
    fc.property(code, fc.string(), fc.oneof(bytes, packed), (number, details, trailer) => {
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', Buffer.from(trailer));
      const status = statusOfError({ code: number, details, metadata });
      classifyRead(status);
      const outcome = classifySubmission(status);
      if (status.details === 'none') t.not(outcome.kind, 'refused');
      if (outcome.kind === 'refused') t.not(outcome.refusal.kind, 'for-good');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a cut trailer says less, never something else', (t) => {
  const whole = statusMessage({ code: 'INVALID_ARGUMENT', id: 'MISSING_FIELD', category: 8, requestId: 'r' });
  const bytesOfWhole = whole.serialize();
  for (let length = 0; length < bytesOfWhole.length; length++) {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(bytesOfWhole.subarray(0, length)));
    const { errorId } = statusOfError({ code: 3, details: '', metadata });
    t.true(errorId === null || errorId === 'MISSING_FIELD', `${length}: ${errorId}`);
  }
});
