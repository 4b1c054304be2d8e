// The participant's completion stream, as events that the protocol understands.
import {
  CompletionStreamRequest,
  type CompletionStreamResponse,
  GetCompletionByHashRequest,
  UnimplementedCommandCompletionServiceService,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import type { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import type { SynchronizerTime as WireTime } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import type { Offset, Party } from '../core/ids.js';
import { type CallOptions, localFailure, type Read, type ReadFailure } from '../ports/ledger.js';
import type { CompletionEvent, SynchronizerTime } from '../protocol/outcome.js';
import { readFailure, serverStream, unary, unreadable, type Wire } from './call.js';
import { classifySubmission, knowsNoCompletion } from './classify.js';
import type { LedgerSettings } from './settings.js';
import { statusOfCompletion } from './status.js';
import { microsOfTimestamp, offsetOf } from './values.js';

const { CompletionStream, GetCompletionByHash } = UnimplementedCommandCompletionServiceService.definition;

type Acceptance = Extract<CompletionEvent, { kind: 'accepted' }>;

export async function* completions(
  wire: Wire,
  settings: LedgerSettings,
  request: { readonly parties: readonly Party[]; readonly beginExclusive: Offset; readonly userId?: string },
  signal: AbortSignal,
): AsyncGenerator<CompletionEvent, ReadFailure | null> {
  const wireRequest = new CompletionStreamRequest({
    userId: request.userId ?? settings.userId,
    parties: [...request.parties],
    beginExclusive: request.beginExclusive.toString(),
  });
  const stream = serverStream(wire, CompletionStream, wireRequest, { signal });
  try {
    for (;;) {
      const next = await stream.next();
      if (signal.aborted) return null;
      if (next.done) {
        return next.value === null
          ? localFailure('STREAM_ENDED', 'the participant ended the completion stream', false)
          : readFailure(next.value);
      }
      const event = eventOf(next.value);
      // The unreadable event may be the one we are looking for, so nothing after it can be trusted either.
      if (event === 'unreadable') return unreadable('an event of the completion stream');
      if (event !== null) yield event;
    }
  } finally {
    // The consumer may stop early; the call must not outlive it.
    await stream.return(null);
  }
}

/**
 * A shortcut to an acceptance (participants from 3.6 on, for completions written by 3.5 or later). Only an acceptance
 * counts: a rejection listed here says nothing about a copy that is still under way, and finding nothing proves
 * nothing (rule 4).
 */
export async function acceptedByHash(
  wire: Wire,
  hash: Uint8Array,
  options: CallOptions,
): Promise<Read<Acceptance | null>> {
  const request = new GetCompletionByHashRequest({ transactionHash: hash });
  const called = await unary(wire, GetCompletionByHash, request, options);
  if (called.kind === 'status' && knowsNoCompletion(called.status)) return { kind: 'read', value: null };
  if (called.kind !== 'answer') return readFailure(called);
  if (called.value.acceptedCompletion === undefined) return { kind: 'read', value: null };
  const event = eventOfCompletion(called.value.acceptedCompletion);
  if (event === 'unreadable' || event.kind !== 'accepted')
    return unreadable('a completion found by its hash');
  // The completion of another transaction would mark a row as paid that is not.
  if (event.transactionHash === null || Buffer.compare(event.transactionHash, hash) !== 0) {
    return unreadable('a completion by hash, which has another hash');
  }
  return { kind: 'read', value: event };
}

export function eventOf(response: CompletionStreamResponse): CompletionEvent | 'unreadable' | null {
  if (response.completion !== undefined) return eventOfCompletion(response.completion);
  const checkpoint = response.offsetCheckpoint;
  if (checkpoint === undefined) return null;
  const offset = offsetOf(checkpoint.offset);
  if (offset === null) return 'unreadable';
  const times = checkpoint.synchronizerTimes.flatMap((time) => timeOf(time) ?? []);
  return { kind: 'checkpoint', offset, times };
}

export function eventOfCompletion(
  completion: Completion,
): Exclude<CompletionEvent, { kind: 'checkpoint' }> | 'unreadable' {
  const { commandId, submissionId, updateId, status } = completion;
  const offset = offsetOf(completion.offset);
  // Code 0 means accepted; without a status the completion says nothing.
  if (offset === null || status === undefined) return 'unreadable';
  const time = timeOf(completion.synchronizerTime);
  if (status.code !== 0) {
    const outcome = classifySubmission(statusOfCompletion(status));
    return {
      kind: 'rejected',
      commandId,
      submissionId,
      offset,
      outcome,
      time,
      paidTraffic: costOf(completion),
    };
  }
  if (updateId === '') return 'unreadable';
  return {
    kind: 'accepted',
    commandId,
    submissionId,
    updateId,
    offset,
    parties: completion.actAs,
    time,
    transactionHash: hashOf(completion),
    paidTraffic: costOf(completion),
  };
}

/** Zero means unknown, or that the synchronizer charges nothing. */
function costOf({ paidTrafficCost }: Completion): bigint | null {
  const cost = /^\d{1,19}$/.test(paidTrafficCost) ? BigInt(paidTrafficCost) : 0n;
  return cost > 0n ? cost : null;
}

/** Present for external submissions from 3.5 on. Anything that is not a SHA-256 hash is ignored. */
const hashOf = ({ hasTransactionHash, transactionHash }: Completion): Uint8Array | null =>
  hasTransactionHash && transactionHash.length === 32 ? transactionHash : null;

function timeOf(time: WireTime | undefined): SynchronizerTime | null {
  if (time?.recordTime === undefined) return null;
  return { synchronizerId: time.synchronizerId, recordTime: microsOfTimestamp(time.recordTime) };
}
