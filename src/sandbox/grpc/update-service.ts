// UpdateService: transactions by id, by offset, and as a stream.

import type { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import { TransactionShape, type UpdateFormat } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import {
  type GetUpdateByIdRequest,
  type GetUpdateByOffsetRequest,
  GetUpdateResponse,
  type GetUpdatesRequest,
  GetUpdatesResponse,
} from '#proto/com/daml/ledger/api/v2/update_service.js';
import { refuse } from '../errors.js';
import type { Host } from '../host.js';
import type { Participant } from '../model/participant.js';
import type { Entry } from '../model/records.js';
import { checkpointOf, DueCheckpoint } from './completion-service.js';
import { transactionOf } from './encode-events.js';
import { EventFilter } from './event-filter.js';
import { invalid, missing } from './fields.js';
import { type Source, stream, unary } from './gate.js';
import { readOffset } from './offsets.js';

export function updateService(host: Host) {
  const facts = (request: { updateFormat?: UpdateFormat | undefined }) => ({
    parties: [...(request.updateFormat?.includeTransactions?.eventFormat?.filtersByParty.keys() ?? [])],
    anyParty: request.updateFormat?.includeTransactions?.eventFormat?.filtersForAnyParty !== undefined,
  });
  return {
    GetUpdateById: unary(
      host,
      'UpdateService/GetUpdateById',
      facts,
      (request: GetUpdateByIdRequest, participant) => {
        const entry = participant.state.updateById(request.updateId || missing('update_id'));
        return found(entry, request.updateId, request.updateFormat, participant);
      },
    ),
    GetUpdateByOffset: unary(
      host,
      'UpdateService/GetUpdateByOffset',
      facts,
      (request: GetUpdateByOffsetRequest, participant) => {
        const offset = Number(request.offset);
        if (offset <= 0) invalid('offset', `Offset ${offset} is not a positive integer`);
        return found(
          participant.state.entryAt(offset),
          `offset ${offset}`,
          request.updateFormat,
          participant,
        );
      },
    ),
    GetUpdates: stream(
      host,
      'UpdateService/GetUpdates',
      facts,
      (request: GetUpdatesRequest, participant, wake) => updates(host, request, participant, wake),
    ),
  };
}

interface Wanted {
  readonly filter: EventFilter;
  readonly shape: TransactionShape;
}

function wantedOf(format: UpdateFormat | undefined): Wanted {
  const transactions =
    (format ?? missing('update_format')).includeTransactions ?? missing('include_transactions');
  const shape = transactions.transactionShape;
  if (shape === TransactionShape.TRANSACTION_SHAPE_UNSPECIFIED) missing('transaction_shape');
  return { filter: new EventFilter(transactions.eventFormat), shape };
}

function visible(entry: Entry, { filter, shape }: Wanted, participant: Participant): Transaction | undefined {
  return transactionOf(entry, participant, filter, shape);
}

/** Pruned, invisible and unknown updates look the same. */
function found(
  entry: Entry | undefined,
  name: string,
  format: UpdateFormat | undefined,
  participant: Participant,
): GetUpdateResponse {
  const wanted = wantedOf(format);
  const readable = entry && entry.offset > participant.state.prunedUpTo ? entry : undefined;
  const transaction = readable && visible(readable, wanted, participant);
  if (transaction) return new GetUpdateResponse({ transaction });
  return refuse('UPDATE_NOT_FOUND', `Update not found, or not visible: ${name}`, {
    resources: [['UPDATE_ID', name]],
  });
}

function updates(
  host: Host,
  request: GetUpdatesRequest,
  participant: Participant,
  wake: () => void,
): Source<GetUpdatesResponse> {
  if (request.descendingOrder) invalid('descending_order', 'the sandbox reads forward only');
  const { state } = participant;
  const wanted = wantedOf(request.updateFormat);
  let cursor = readOffset(request.beginExclusive, 'begin_exclusive', state);
  const last = request.hasEndInclusive
    ? readOffset(request.endInclusive, 'end_inclusive', state)
    : Number.POSITIVE_INFINITY;
  const due = new DueCheckpoint(host.settings.idleCheckpointMs, cursor);
  const forget = [
    participant.onEntry(wake),
    participant.checkpoints.subscribe((checkpoint) => {
      if (due.offer(checkpoint)) wake();
    }),
  ];
  const next = (): GetUpdatesResponse | 'wait' | 'end' => {
    for (;;) {
      if (cursor >= last) return 'end';
      const entry = state.next(cursor);
      const checkpoint = due.takeBefore(entry);
      if (checkpoint)
        return new GetUpdatesResponse({ offsetCheckpoint: checkpointOf(checkpoint, participant) });
      if (!entry) return 'wait';
      cursor = entry.offset;
      const transaction = entry.offset <= last ? visible(entry, wanted, participant) : undefined;
      if (transaction) return new GetUpdatesResponse({ transaction });
    }
  };
  const close = () => {
    for (const stop of forget) stop();
  };
  return { next, close };
}
