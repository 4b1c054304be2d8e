// What an update did, read back to tell whether an acceptance is the transfer it should be.
import type { ExercisedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import type { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  TransactionFormat,
  TransactionShape,
  UpdateFormat,
  WildcardFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import {
  GetUpdateByIdRequest,
  UnimplementedUpdateServiceService,
} from '#proto/com/daml/ledger/api/v2/update_service.js';
import { isEntity } from '../core/entity.js';
import type { Offset, Party } from '../core/ids.js';
import type { CallOptions, Read, TransferEffect, TransferResult } from '../ports/ledger.js';
import { readFailure, unary, unreadable, type Wire } from './call.js';
import { isUpdateAbsent } from './classify.js';
import { TRANSFER_CHOICE, TRANSFER_INTERFACE, TRANSFER_MODULE } from './transfer-command.js';
import { instrumentOf, offsetOf, recordFields } from './values.js';

const { GetUpdateById } = UnimplementedUpdateServiceService.definition;

export async function transferOf(
  wire: Wire,
  updateId: string,
  parties: readonly Party[],
  options: CallOptions,
): Promise<Read<TransferEffect | null | 'absent'>> {
  const read = await transactionOf(wire, updateId, parties, options);
  if (read.kind === 'failed-read' || read.value === null || read.value === 'absent') {
    return read as Read<null | 'absent'>;
  }
  return { kind: 'read', value: effectOf(read.value) };
}

export async function updateOffset(
  wire: Wire,
  updateId: string,
  party: Party,
  options: CallOptions,
): Promise<Read<Offset | null>> {
  const read = await transactionOf(wire, updateId, [party], options);
  if (read.kind === 'failed-read') return read;
  if (read.value === null || read.value === 'absent') return { kind: 'read', value: null };
  const value = offsetOf(read.value.offset);
  return value === null ? unreadable('an update without an offset') : { kind: 'read', value };
}

/** Null: the update is not a transaction. */
async function transactionOf(
  wire: Wire,
  updateId: string,
  parties: readonly Party[],
  options: CallOptions,
): Promise<Read<Transaction | null | 'absent'>> {
  const everything = (): Filters =>
    new Filters({ cumulative: [new CumulativeFilter({ wildcardFilter: new WildcardFilter() })] });
  const request = new GetUpdateByIdRequest({
    updateId,
    updateFormat: new UpdateFormat({
      includeTransactions: new TransactionFormat({
        eventFormat: new EventFormat({
          filtersByParty: new Map(parties.map((party): [string, Filters] => [party, everything()])),
          verbose: true,
        }),
        transactionShape: TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS,
      }),
    }),
  });
  const called = await unary(wire, GetUpdateById, request, options);
  if (called.kind === 'answer') return { kind: 'read', value: called.value.transaction ?? null };
  if (called.kind === 'status' && isUpdateAbsent(called.status)) return { kind: 'read', value: 'absent' };
  return readFailure(called);
}

/**
 * The one transfer of a transaction. Its exercise tells everything, whoever the token's admin is; a party that sees
 * only the receiver's side has to go by the event that our own token leaves. Null if there are several, because ours
 * is alone in its transaction. One exercise inside another is fine: that is how a registry's factory may carry out
 * the outer one.
 */
export function effectOf(transaction: Transaction): TransferEffect | null {
  const { updateId, commandId, events } = transaction;
  const transfers = events.flatMap(({ exercised }) =>
    exercised && isTransfer(exercised) ? [exercised] : [],
  );
  const outermost = transfers.filter((one) => !transfers.some((other) => isWithin(one, other)));
  const [exercise, ...others] = outermost;
  if (others.length > 0) return null;
  const [logged, ...more] = events.flatMap(({ created }) => transferLogged(created) ?? []);
  const effect = exercise === undefined ? (more.length > 0 ? null : logged) : transferExercised(exercise);
  return effect ? { updateId, commandId, ...effect } : null;
}

type Effect = Omit<TransferEffect, 'updateId' | 'commandId'>;

const isTransfer = ({ choice, interfaceId }: ExercisedEvent): boolean =>
  choice === TRANSFER_CHOICE && isEntity(interfaceId, TRANSFER_MODULE, TRANSFER_INTERFACE);

const isWithin = (one: ExercisedEvent, other: ExercisedEvent): boolean =>
  one.nodeId > other.nodeId && one.nodeId <= other.lastDescendantNodeId;

function transferExercised(event: ExercisedEvent): Effect | null {
  const transfer = recordFields(event.choiceArgument?.record)?.fields('transfer') ?? null;
  const instrument = instrumentOf(transfer?.fields('instrumentId') ?? null);
  const sender = transfer?.party('sender') ?? null;
  const receiver = transfer?.party('receiver') ?? null;
  const amount = transfer?.amount('amount') ?? null;
  if (instrument === null || sender === null || receiver === null || amount === null) return null;
  const result = RESULTS[recordFields(event.exerciseResult?.record)?.variant('output') ?? ''] ?? null;
  return { sender, receiver, admin: instrument.admin, instrumentId: instrument.id, amount, result };
}

/** CIP-56, `Splice.Api.Token.TransferInstructionV1`. */
const RESULTS: Readonly<Record<string, TransferResult>> = {
  TransferInstructionResult_Completed: 'completed',
  TransferInstructionResult_Pending: 'pending',
  TransferInstructionResult_Failed: 'failed',
};

/** `CIP56.Events:TokenTransferEvent`; a mint has no `fromParty`, a burn no `toParty`. */
function transferLogged(event: Transaction['events'][number]['created']): Effect | null {
  if (event === undefined || !isEntity(event.templateId, 'CIP56.Events', 'TokenTransferEvent')) return null;
  const fields = recordFields(event.createArguments);
  const instrument = instrumentOf(fields?.fields('instrumentId') ?? null);
  const sender = fields?.optionalParty('fromParty') ?? null;
  const receiver = fields?.optionalParty('toParty') ?? null;
  const amount = fields?.amount('amount') ?? null;
  if (instrument === null || sender === null || receiver === null || amount === null) return null;
  return { sender, receiver, admin: instrument.admin, instrumentId: instrument.id, amount, result: null };
}
