import test from 'ava';
import { party } from '../../../src/core/ids.js';
import type { Verified } from '../../../src/path/given/participant.js';
import { provenStream, type StreamRequest } from '../../../src/path/participant/proving.js';
import type { Ledger, ReadFailure } from '../../../src/ports/ledger.js';
import type { CompletionEvent } from '../../../src/protocol/outcome.js';

const [alice, marked] = [party('alice::1'), party('marked::1')];
const MARK = { offset: 5n, updateId: 'u5', party: marked };
const BROKEN: ReadFailure = {
  kind: 'failed-read',
  pruned: false,
  refusal: { kind: 'not-the-row', blame: 'all', errorId: 'BROKEN', detail: '', retryAfterMs: null },
};

const accepted = (offset: bigint): CompletionEvent => ({
  kind: 'accepted',
  commandId: 'c',
  submissionId: 's',
  updateId: `u${offset}`,
  offset,
  parties: [alice],
  time: null,
  transactionHash: null,
  paidTraffic: null,
});

/** A ledger that shows these events, then breaks; `ids`: what it says its participant id is, one answer after the other. */
function ledgerOf(events: readonly CompletionEvent[], ids: string[] = []) {
  const seen = {
    requests: [] as { parties: readonly string[]; beginExclusive: bigint }[],
    closed: 0,
    asked: 0,
  };
  const ledger = {
    async *completions(request) {
      seen.requests.push(request);
      try {
        yield* events;
        return BROKEN;
      } finally {
        seen.closed += 1;
      }
    },
    async participantId() {
      seen.asked += 1;
      return { kind: 'read', value: ids.shift() ?? 'p' };
    },
  } satisfies Partial<Ledger> as unknown as Ledger;
  return { ledger, seen };
}

const request = (mark: typeof MARK | null, from: bigint): StreamRequest => ({
  // As far as the stream looks at it.
  verified: { participantId: 'p', mayAskId: true, pinned: { mark } } as Verified,
  parties: [alice],
  from,
  mark,
});

async function stepsOf(ledger: Ledger, wanted: StreamRequest): Promise<string[]> {
  const steps: string[] = [];
  for await (const step of provenStream(ledger, wanted, new AbortController().signal)) {
    if (step.kind === 'event') steps.push(`${step.event.offset} ${step.proof} ${await step.proven()}`);
    else steps.push(step.kind === 'ended' ? `ended ${step.failure?.refusal.errorId}` : step.kind);
  }
  return steps;
}

test('a stream begins before the mark, lists its party, and is proven from the mark on', async (t) => {
  const { ledger, seen } = ledgerOf([accepted(4n), accepted(5n), accepted(9n)]);
  t.deepEqual(await stepsOf(ledger, request(MARK, 8n)), [
    '4 awaiting false',
    '5 shown true',
    '9 shown true',
    'ended BROKEN',
  ]);
  t.deepEqual(seen, { requests: [{ parties: [alice, marked], beginExclusive: 4n }], closed: 1, asked: 0 });
});

test('P8 a stream that passes the mark without showing it ends there: nothing later is told', async (t) => {
  const { ledger, seen } = ledgerOf([accepted(4n), accepted(6n), accepted(9n)]);
  t.deepEqual(await stepsOf(ledger, request(MARK, 8n)), ['4 awaiting false', 'missed']);
  t.is(seen.closed, 1);
});

test('P27 without a mark the id is asked for before the stream opens, and again whenever a decision needs it', async (t) => {
  const { ledger, seen } = ledgerOf([accepted(9n), accepted(10n)], ['p', 'p', 'another']);
  t.deepEqual(await stepsOf(ledger, request(null, 8n)), [
    '9 unmarked true',
    '10 unmarked false',
    'ended BROKEN',
  ]);
  t.is(seen.asked, 3);
});

test('P27 where nothing can prove the participant nothing is read', async (t) => {
  const { ledger, seen } = ledgerOf([accepted(9n)], ['another']);
  t.deepEqual(await stepsOf(ledger, request(null, 8n)), ['unprovable']);
  t.deepEqual(seen.requests, []);
});

test('whoever stops reading closes the stream', async (t) => {
  const { ledger, seen } = ledgerOf([accepted(5n), accepted(9n)]);
  for await (const step of provenStream(ledger, request(MARK, 4n), new AbortController().signal)) {
    if (step.kind === 'event') break;
  }
  t.is(seen.closed, 1);
});
