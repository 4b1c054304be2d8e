// The completion stream over real gRPC: order, ends, and that nothing of it outlives its reader.
import { promisify } from 'node:util';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import test from 'ava';
import {
  type CompletionStreamRequest,
  CompletionStreamResponse,
  UnimplementedCommandCompletionServiceService,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import { OffsetCheckpoint } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import { Status } from '#proto/google/rpc/status.js';
import { party } from '../../src/core/ids.js';
import { eventOf } from '../../src/ledger/completions.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { ReadFailure } from '../../src/ports/ledger.js';
import type { CompletionEvent } from '../../src/protocol/outcome.js';
import { bench, connected, TIMEOUT, valueIn } from './setup.js';

type Events = AsyncGenerator<CompletionEvent, ReadFailure | null>;

async function readUntil(events: Events, enough: (event: CompletionEvent) => boolean) {
  const seen: CompletionEvent[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done) return { seen, end: next.value };
    seen.push(next.value);
    if (enough(next.value)) {
      await events.return(null);
      return { seen, end: undefined };
    }
  }
}

test('acceptances, rejections and checkpoints in the order of the ledger', async (t) => {
  const { sandbox, ledger, alice, transfer } = await bench(t);
  const beginExclusive = valueIn(await ledger.ledgerEnd(TIMEOUT));
  sandbox.faults.add({
    on: 'submit',
    times: 1,
    do: { kind: 'reject', with: { error: 'MEDIATOR_SAYS_TX_TIMED_OUT' } },
  });
  const rejected = await transfer();
  await ledger.submit(rejected, TIMEOUT);
  const accepted = await transfer();
  const outcome = await ledger.submit(accepted, TIMEOUT);
  if (outcome.kind !== 'accepted') return t.fail(outcome.kind);

  const stream = ledger.completions({ parties: [alice], beginExclusive }, new AbortController().signal);
  const { seen } = await readUntil(stream, ({ kind }) => kind === 'checkpoint');
  t.deepEqual(
    seen.filter(({ kind }) => kind !== 'checkpoint').map(({ kind }) => kind),
    ['rejected', 'accepted'],
  );
  t.like(seen[0], {
    commandId: rejected.commandId,
    submissionId: rejected.submissionId,
    outcome: { kind: 'refused', refusal: { errorId: 'MEDIATOR_SAYS_TX_TIMED_OUT' } },
  });
  t.like(seen[1], {
    updateId: outcome.updateId,
    offset: outcome.offset,
    parties: [alice],
    time: { synchronizerId: sandbox.synchronizerId },
  });
  const times = seen.flatMap((event) => (event.kind === 'checkpoint' ? event.times : (event.time ?? [])));
  for (const { recordTime } of times) {
    // Microseconds: sixteen digits in this century.
    t.is(recordTime.toString().length, 16);
  }
  t.deepEqual(
    seen.map(({ offset }) => offset),
    seen.map(({ offset }) => offset).sort((a, b) => Number(a - b)),
  );
});

test('the signal ends it without a failure, before the first event and during the wait for one', async (t) => {
  const { sandbox, ledger, alice } = await bench(t, { quiet: 'silent' });
  const beginExclusive = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const abort = new AbortController();
  const waiting = ledger.completions({ parties: [alice], beginExclusive }, abort.signal).next();
  await sandbox.audit.until((log) => log.reads.get('CommandCompletionService/CompletionStream') === 1);
  abort.abort();
  t.deepEqual(await waiting, { done: true, value: null });
  const aborted = ledger.completions({ parties: [alice], beginExclusive }, abort.signal);
  t.deepEqual(await aborted.next(), { done: true, value: null });
});

test('pruned, beyond the end, broken: each end says what it was', async (t) => {
  const { sandbox, ledger, alice } = await bench(t);
  const end = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const endOf = async (beginExclusive: bigint) =>
    (
      await readUntil(
        ledger.completions({ parties: [alice], beginExclusive }, new AbortController().signal),
        () => false,
      )
    ).end;
  t.like(await endOf(end + 1000n), {
    pruned: false,
    refusal: { errorId: 'OFFSET_AFTER_LEDGER_END', blame: 'all' },
  });
  sandbox.faults.add({
    on: 'CommandCompletionService/CompletionStream',
    times: 1,
    do: { kind: 'breakStream', afterMessages: 0, with: { error: 'STALE_STREAM_AUTHORIZATION' } },
  });
  t.like(await endOf(end), {
    pruned: false,
    refusal: { kind: 'try-again', errorId: 'STALE_STREAM_AUTHORIZATION' },
  });
  await sandbox.control({ kind: 'prune', offset: Number(end) });
  t.like(await endOf(0n), { pruned: true, refusal: { errorId: 'PARTICIPANT_PRUNED_DATA_ACCESSED' } });
  const losing = endOf(end);
  await sandbox.audit.until((log) => (log.reads.get('CommandCompletionService/CompletionStream') ?? 0) >= 4);
  await sandbox.control({ kind: 'disconnect' });
  t.like(await losing, { pruned: false, refusal: { kind: 'not-the-row', blame: 'all' } });
});

test('the hash of what was signed is read where there is one, and nothing else is taken for it', (t) => {
  const hashIn = (fields: object) => {
    const shared = { commandId: 'c', updateId: 'u', offset: '1', status: new Status({ code: 0 }) };
    const event = eventOf(
      new CompletionStreamResponse({ completion: new Completion({ ...shared, ...fields }) }),
    );
    return event !== null && event !== 'unreadable' && event.kind === 'accepted'
      ? event.transactionHash
      : undefined;
  };
  const hash = Buffer.alloc(32, 7);
  t.deepEqual(Buffer.from(hashIn({ transactionHash: hash }) ?? []), hash);
  for (const none of [{}, { transactionHash: new Uint8Array() }, { transactionHash: Buffer.alloc(34, 7) }]) {
    t.is(hashIn(none), null);
  }
});

/** A participant that streams checkpoints as fast as they are taken, and tells what became of its streams. */
async function torrent(): Promise<{
  url: string;
  sent: () => number;
  cancelled: Promise<void>;
  stop: () => void;
}> {
  const server = new Server();
  let sent = 0;
  let onCancelled = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    onCancelled = resolve;
  });
  server.addService(UnimplementedCommandCompletionServiceService.definition, {
    CompletionStream(call: ServerWritableStream<CompletionStreamRequest, CompletionStreamResponse>) {
      call.on('cancelled', onCancelled);
      const pour = (): void => {
        while (!call.cancelled) {
          sent += 1;
          const offsetCheckpoint = new OffsetCheckpoint({ offset: String(sent) });
          if (!call.write(new CompletionStreamResponse({ offsetCheckpoint })))
            return void call.once('drain', pour);
        }
      };
      pour();
    },
  });
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  return { url: `127.0.0.1:${port}`, sent: () => sent, cancelled, stop: () => server.forceShutdown() };
}

test('a reader that has seen enough ends the call; a slow one slows the participant', async (t) => {
  const { url, sent, cancelled, stop } = await torrent();
  const ledger = createLedger({ url, userId: 'u', synchronizerId: 's', issuerParty: 'i' });
  t.teardown(() => {
    ledger.close();
    stop();
  });
  await connected(ledger);
  let read = 0;
  const request = { parties: [party('alice::1220')], beginExclusive: 0n };
  for await (const event of ledger.completions(request, new AbortController().signal)) {
    read += 1;
    t.is(event.offset, BigInt(read));
    // A turn of the event loop each: the participant could write thousands meanwhile.
    await new Promise(setImmediate);
    if (read === 50) break;
  }
  await cancelled;
  // What flow control lets through is bounded by HTTP/2's window, not by what the participant has.
  t.true(sent() < 50_000, `${sent()}`);
});

test('closing the ledger ends its streams', async (t) => {
  const { url, cancelled, stop } = await torrent();
  const ledger = createLedger({ url, userId: 'u', synchronizerId: 's', issuerParty: 'i' });
  t.teardown(stop);
  await connected(ledger);
  const events = ledger.completions(
    { parties: [party('a::1220')], beginExclusive: 0n },
    new AbortController().signal,
  );
  await events.next();
  ledger.close();
  await cancelled;
  t.false(ledger.ready());
  const { end } = await readUntil(events, () => false);
  t.like(end, { kind: 'failed-read' });
});
