// Messages of the JSON Ledger API as protobuf ones: what our readers read.
import { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import {
  ArchivedEvent,
  CreatedEvent,
  Event,
  ExercisedEvent,
  InterfaceView,
} from '#proto/com/daml/ledger/api/v2/event.js';
import { SynchronizerTime } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import { Any } from '#proto/google/protobuf/any.js';
import { Timestamp } from '#proto/google/protobuf/timestamp.js';
import { Status } from '#proto/google/rpc/status.js';
import {
  ARGUMENTS,
  entityOf,
  identifierOf,
  isObject,
  type Json,
  type JsonObject,
  listIn,
  microsOf,
  objectIn,
  PAYLOADS,
  recordOf,
  textIn,
  typed,
  VIEWS,
} from './json-values.js';

const texts = (json: Json | undefined): string[] => listIn(json ?? []).map(textIn);

export function createdOf(json: JsonObject): CreatedEvent {
  const templateId = textIn(json.templateId);
  return new CreatedEvent({
    offset: String(json.offset ?? 0),
    nodeId: Number(json.nodeId ?? 0),
    contractId: textIn(json.contractId),
    templateId: identifierOf(templateId),
    createArguments: recordOf(
      json.createArgument ?? json.createArguments ?? {},
      PAYLOADS[entityOf(templateId)] ?? 'guess',
    ),
    interfaceViews: listIn(json.interfaceViews ?? []).map((view) => viewOf(objectIn(view))),
    witnessParties: texts(json.witnessParties),
    signatories: texts(json.signatories),
    observers: texts(json.observers),
    packageName: textIn(json.packageName ?? ''),
  });
}

function viewOf(json: JsonObject): InterfaceView {
  const interfaceId = textIn(json.interfaceId);
  const view = new InterfaceView({ interfaceId: identifierOf(interfaceId) });
  if (isObject(json.viewStatus)) view.viewStatus = statusOf(json.viewStatus);
  if (isObject(json.viewValue))
    view.viewValue = recordOf(json.viewValue, VIEWS[entityOf(interfaceId)] ?? 'guess');
  return view;
}

function statusOf(json: JsonObject): Status {
  return new Status({
    code: Number(json.code ?? 0),
    message: textIn(json.message ?? ''),
    details: listIn(json.details ?? []).flatMap((one) => {
      const { typeUrl, value } = objectIn(one);
      return typeof typeUrl === 'string' && typeof value === 'string'
        ? [new Any({ typeUrl, value: Buffer.from(value, 'base64') })]
        : [];
    }),
  });
}

function exercisedOf(json: JsonObject): ExercisedEvent {
  const choice = textIn(json.choice);
  const event = new ExercisedEvent({
    offset: String(json.offset ?? 0),
    nodeId: Number(json.nodeId ?? 0),
    contractId: textIn(json.contractId),
    templateId: identifierOf(textIn(json.templateId)),
    choice,
    choiceArgument: typed(json.choiceArgument ?? {}, ARGUMENTS[choice] ?? 'guess'),
    actingParties: texts(json.actingParties),
    consuming: json.consuming === true,
    witnessParties: texts(json.witnessParties),
    lastDescendantNodeId: Number(json.lastDescendantNodeId ?? 0),
    packageName: textIn(json.packageName ?? ''),
  });
  if (typeof json.interfaceId === 'string') event.interfaceId = identifierOf(json.interfaceId);
  return event;
}

function eventOf(json: JsonObject): Event {
  if (isObject(json.CreatedEvent)) return new Event({ created: createdOf(json.CreatedEvent) });
  if (isObject(json.ExercisedEvent)) return new Event({ exercised: exercisedOf(json.ExercisedEvent) });
  const { contractId = '' } = objectIn(json.ArchivedEvent ?? {});
  return new Event({ archived: new ArchivedEvent({ contractId: textIn(contractId) }) });
}

export function transactionOf(json: JsonObject): Transaction {
  return new Transaction({
    updateId: textIn(json.updateId),
    commandId: textIn(json.commandId ?? ''),
    offset: String(json.offset ?? 0),
    events: listIn(json.events).map((one) => eventOf(objectIn(one))),
  });
}

export function completionOf(json: JsonObject): Completion {
  const completion = new Completion({
    commandId: textIn(json.commandId),
    submissionId: textIn(json.submissionId ?? ''),
    updateId: textIn(json.updateId ?? ''),
    offset: String(json.offset ?? 0),
    actAs: texts(json.actAs),
  });
  if (isObject(json.status)) completion.status = statusOf(json.status);
  if (isObject(json.synchronizerTime)) completion.synchronizerTime = timeOf(json.synchronizerTime);
  return completion;
}

function timeOf(json: JsonObject): SynchronizerTime {
  const micros = microsOf(textIn(json.recordTime));
  return new SynchronizerTime({
    synchronizerId: textIn(json.synchronizerId),
    recordTime: new Timestamp({
      seconds: Number(micros / 1_000_000n),
      nanos: Number(micros % 1_000_000n) * 1000,
    }),
  });
}
