// CommandCompletionService: completions in offset order, with checkpoints in between.
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import {
  type CompletionStreamRequest,
  CompletionStreamResponse,
  type GetCompletionByHashRequest,
  GetCompletionByHashResponse,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import { OffsetCheckpoint, SynchronizerTime } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import { Status } from '#proto/google/rpc/status.js';
import { wallMs } from '../clock.js';
import { refuse } from '../errors.js';
import type { Generation } from '../generation.js';
import type { Host } from '../host.js';
import type { Checkpoint } from '../model/checkpoints.js';
import type { Participant } from '../model/participant.js';
import type { CompletionRecord, Entry } from '../model/records.js';
import { timestampOf } from './encode-events.js';
import { missing, partyString } from './fields.js';
import { BareRefusal, type Source, stream, unary } from './gate.js';
import { readOffset } from './offsets.js';
import { statusOf } from './status.js';

export function completionService(host: Host) {
  return {
    CompletionStream: stream(
      host,
      'CommandCompletionService/CompletionStream',
      (request: CompletionStreamRequest) => ({ parties: request.parties, userId: request.userId }),
      (request, participant, wake) => completions(host, request, participant, wake),
    ),
    GetCompletionByHash: completionByHash(host),
  };
}

function completions(
  host: Host,
  request: CompletionStreamRequest,
  participant: Participant,
  wake: () => void,
): Source<CompletionStreamResponse> {
  const userId = request.userId || (host.token === null ? missing('user_id') : host.settings.userId);
  if (request.parties.length === 0) missing('parties');
  for (const party of request.parties) {
    if (!partyString.test(party))
      refuse('INVALID_ARGUMENT', `${JSON.stringify(party.slice(0, 64))} is not a party`);
  }
  const { state } = participant;
  const parties = new Set(request.parties);
  let cursor = readOffset(request.beginExclusive, 'begin_exclusive', state);
  const due = new DueCheckpoint(host.settings.idleCheckpointMs, cursor);
  const forget = [
    participant.onEntry(wake),
    participant.checkpoints.subscribe((checkpoint) => {
      if (due.offer(checkpoint)) wake();
    }),
  ];
  const next = (): CompletionStreamResponse | 'wait' => {
    for (;;) {
      const entry = state.next(cursor);
      const checkpoint = due.takeBefore(entry);
      if (checkpoint) return checkpointMessage(checkpoint, participant);
      if (!entry) return 'wait';
      cursor = entry.offset;
      const { completion } = entry;
      if (completion?.userId !== userId || !completion.actAs.some((party) => parties.has(party))) continue;
      return new CompletionStreamResponse({
        completion: completionMessage(
          entry,
          { ...completion, actAs: completion.actAs.filter((party) => parties.has(party)) },
          participant,
          host.settings.generation,
        ),
      });
    }
  };
  const close = () => {
    for (const stop of forget) stop();
  };
  return { next, close };
}

/**
 * When a stream shows a checkpoint: as soon as something has moved since the last one, otherwise once per idle
 * interval.
 */
export class DueCheckpoint {
  #due: Checkpoint | undefined;
  #shownAt = wallMs();

  constructor(
    private readonly idleMs: number,
    private shownOffset: number,
  ) {}

  offer(checkpoint: Checkpoint): boolean {
    const moved = checkpoint.offset > this.shownOffset;
    if (!moved && wallMs() - this.#shownAt < this.idleMs) return false;
    this.#due = checkpoint;
    return true;
  }

  /** Before anything with a later offset, after everything that it covers. */
  takeBefore(entry: Entry | undefined): Checkpoint | undefined {
    const due = this.#due;
    if (!due || (entry && entry.offset <= due.offset)) return undefined;
    this.#due = undefined;
    this.shownOffset = due.offset;
    this.#shownAt = wallMs();
    return due;
  }
}

export function checkpointOf(checkpoint: Checkpoint, participant: Participant): OffsetCheckpoint {
  return new OffsetCheckpoint({
    offset: `${checkpoint.offset}`,
    synchronizerTimes: [synchronizerTime(checkpoint.recordTime, participant)],
  });
}

function checkpointMessage(checkpoint: Checkpoint, participant: Participant): CompletionStreamResponse {
  return new CompletionStreamResponse({ offsetCheckpoint: checkpointOf(checkpoint, participant) });
}

function synchronizerTime(recordTime: number, participant: Participant): SynchronizerTime {
  const { synchronizerId } = participant.settings;
  return new SynchronizerTime({ synchronizerId, recordTime: timestampOf(recordTime) });
}

function completionMessage(
  entry: Entry,
  record: CompletionRecord,
  participant: Participant,
  generation: Generation,
): Completion {
  const { result, external } = record;
  return new Completion({
    commandId: record.commandId,
    status: result.accepted ? new Status({ code: 0 }) : statusOf(result.error, record.submissionId),
    updateId: result.accepted ? result.updateId : '',
    userId: record.userId,
    actAs: [...record.actAs],
    submissionId: record.submissionId,
    deduplicationOffset: `${record.dedupOffset}`,
    offset: `${entry.offset}`,
    synchronizerTime: synchronizerTime(entry.recordTime, participant),
    ...(record.traffic === undefined ? {} : { paidTrafficCost: `${record.traffic}` }),
    ...(external && generation.completionHash ? { transactionHash: Buffer.from(external.hash, 'hex') } : {}),
  });
}

/** How many rejections of one transaction are shown, the newest first. */
const REJECTIONS_TOLD = 10;

/** For external submissions. Finding nothing here proves nothing. */
function completionByHash(
  host: Host,
): handleUnaryCall<GetCompletionByHashRequest, GetCompletionByHashResponse> {
  return unary(
    host,
    'CommandCompletionService/GetCompletionByHash',
    () => ({}),
    (request, participant) => {
      const { generation } = host.settings;
      if (!generation.completionByHash) throw new BareRefusal(status.UNIMPLEMENTED, 'Method not found');
      const hash = Buffer.from(request.transactionHash).toString('hex') || missing('transaction_hash');
      const messages = participant.state.completedWith(hash).flatMap((entry) => {
        const readable = entry.offset > participant.state.prunedUpTo ? entry.completion : undefined;
        return readable ? [completionMessage(entry, readable, participant, generation)] : [];
      });
      if (messages.length === 0) {
        return refuse('COMPLETION_NOT_FOUND', `No completion of a transaction with hash ${hash}`);
      }
      const acceptedCompletion = messages.find((it) => it.updateId !== '');
      const rejected = messages.filter((it) => it !== acceptedCompletion).reverse();
      return new GetCompletionByHashResponse({
        lastRejectedCompletions: rejected.slice(0, REJECTIONS_TOLD),
        ...(acceptedCompletion ? { acceptedCompletion } : {}),
      });
    },
  );
}
