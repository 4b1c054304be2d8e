// The wire to Daml values, typed: what does not type-check is COMMAND_PREPROCESSING_FAILED, as at the ledger.
import type { Record as DamlRecord, Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Micros } from '../clock.js';
import type { InstrumentId } from '../daml/contracts.js';
import type { Transfer, TransferChoice } from '../daml/transfer.js';
import { refuse } from '../errors.js';
import { parseDecimal } from '../model/decimal.js';

/** The argument of TransferFactory_Transfer. */
export function readTransferChoice(factoryId: string, argument: Value | undefined): TransferChoice {
  const [expectedAdmin, transfer, extraArgs] = fields(argument, ['expectedAdmin', 'transfer', 'extraArgs']);
  const [context, meta] = fields(extraArgs, ['context', 'meta']);
  metadata(context);
  metadata(meta);
  return { factoryId, expectedAdmin: party(expectedAdmin), transfer: readTransfer(transfer) };
}

/** In the order of the Daml declaration, which unlabelled fields go by. */
const transferLabels = [
  'sender',
  'receiver',
  'amount',
  'instrumentId',
  'requestedAt',
  'executeBefore',
  'inputHoldingCids',
  'meta',
] as const;

function readTransfer(value: Value | undefined): Transfer {
  const [sender, receiver, amount, instrument, requestedAt, executeBefore, inputs, meta] = fields(
    value,
    transferLabels,
  );
  metadata(meta);
  return {
    sender: party(sender),
    receiver: party(receiver),
    amount: decimal(amount),
    instrumentId: instrumentId(instrument),
    requestedAt: timestamp(requestedAt),
    executeBefore: timestamp(executeBefore),
    inputHoldingCids: expect(inputs, 'list').list?.elements.map(contractId) ?? [],
  };
}

/** Either every label is there, in any order, or one is missing and the declared order counts. */
function fields(value: Value | undefined, labels: readonly string[]): (Value | undefined)[] {
  const record: DamlRecord | undefined = expect(value, 'record').record;
  const given = record?.fields ?? [];
  if (given.length !== labels.length)
    mistyped(`expected ${labels.length} fields (${labels}), got ${given.length}`);
  if (given.every((field, index) => field.label === labels[index])) return given.map((field) => field.value);
  if (given.some((field) => field.label === '')) return given.map((field) => field.value);
  const byLabel = new Map(given.map((field) => [field.label, field.value]));
  return labels.map((label) => {
    if (!byLabel.has(label)) mistyped(`Missing record field '${label}'`);
    return byLabel.get(label);
  });
}

function expect(value: Value | undefined, sum: Value['sum']): Value {
  if (!value) return refuse('MISSING_FIELD', 'The submitted command is missing a mandatory field: value');
  if (value.sum !== sum) mistyped(`expected a ${sum}, got a ${value.sum}`);
  return value;
}

const party = (value: Value | undefined) => expect(value, 'party').party;
const contractId = (value: Value | undefined) => expect(value, 'contractId').contractId;

function decimal(value: Value | undefined): bigint {
  const { numeric } = expect(value, 'numeric');
  return (
    parseDecimal(numeric) ?? mistyped(`Cannot represent ${numeric} as (Numeric 10) without loss of precision`)
  );
}

function timestamp(value: Value | undefined): Micros {
  return Number(expect(value, 'timestamp').timestamp);
}

function instrumentId(value: Value | undefined): InstrumentId {
  const [admin, id] = fields(value, ['admin', 'id']);
  return { admin: party(admin), id: expect(id, 'text').text };
}

/** Metadata and ChoiceContext look alike: a record of one map. What is in it is not the factory's concern. */
function metadata(value: Value | undefined): void {
  const [values] = fields(value, ['values']);
  expect(values, 'textMap');
}

function mistyped(detail: string): never {
  return refuse('COMMAND_PREPROCESSING_FAILED', `Command preprocessing failed: mismatching type: ${detail}`);
}
