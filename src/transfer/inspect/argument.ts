// The root: the one choice of our factory, exercised by the sender alone, with exactly the argument that was asked
// for.
import { parseDecimal } from '../../core/decimal.js';
import { isEntity } from '../../core/entity.js';
import type { AnyValue, TransferFactory, TransferTerms } from '../../core/transfer.js';
import { difference, type Shape } from './shape.js';
import type { Exercised } from './tree.js';

export function rootFault(root: Exercised, terms: TransferTerms, factory: TransferFactory): string | null {
  const { exercise } = root;
  if (exercise.contractId !== factory.contractId) {
    return `root: exercises ${exercise.contractId}, where the factory is ${factory.contractId}`;
  }
  if (exercise.choiceId !== 'TransferFactory_Transfer') return `root: its choice is ${exercise.choiceId}`;
  // The template itself might declare another choice of the same name.
  if (!isEntity(exercise.interfaceId, 'Splice.Api.Token.TransferInstructionV1', 'TransferFactory')) {
    return "root: its choice is not the transfer interface's";
  }
  if (exercise.actingParties.length !== 1 || exercise.actingParties[0] !== terms.sender) {
    return `root: its acting parties are ${exercise.actingParties.join(', ')}`;
  }
  if (exercise.consuming) return 'root: it consumes the factory';
  return difference('argument', exercise.chosenValue, argumentOf(terms, factory));
}

function argumentOf(terms: TransferTerms, factory: TransferFactory): Shape {
  const noMetadata = recordShape({ values: { kind: 'textMap', of: new Map() } });
  const context = factory.kind === 'own' ? new Map<string, AnyValue>() : factory.context;
  return recordShape({
    expectedAdmin: { kind: 'party', is: terms.admin },
    transfer: recordShape({
      sender: { kind: 'party', is: terms.sender },
      receiver: { kind: 'party', is: terms.receiver },
      amount: { kind: 'numeric', is: terms.amount },
      instrumentId: recordShape({
        admin: { kind: 'party', is: terms.admin },
        id: { kind: 'text', is: terms.instrumentId },
      }),
      requestedAt: { kind: 'timestamp', is: terms.requestedAt },
      executeBefore: { kind: 'timestamp', is: terms.executeBefore },
      inputHoldingCids: { kind: 'contractIds', are: terms.holdings },
      meta: noMetadata,
    }),
    extraArgs: recordShape({ context: recordShape({ values: contextOf(context) }), meta: noMetadata }),
  });
}

const recordShape = (of: Readonly<Record<string, Shape>>): Shape => ({ kind: 'record', of });

const contextOf = (values: ReadonlyMap<string, AnyValue>): Shape => ({
  kind: 'textMap',
  of: new Map([...values].map(([key, value]) => [key, anyOf(value)])),
});

const anyOf = (any: AnyValue): Shape => ({ kind: 'variant', tag: any.tag, of: heldOf(any) });

function heldOf(any: AnyValue): Shape {
  switch (any.tag) {
    case 'AV_Text':
      return { kind: 'text', is: any.value };
    case 'AV_Party':
      return { kind: 'party', is: any.value };
    case 'AV_ContractId':
      return { kind: 'contractId', is: any.value };
    case 'AV_Int':
      return { kind: 'int64', is: any.value };
    case 'AV_Decimal':
      return { kind: 'numeric', is: parseDecimal(any.value) ?? -1n };
    case 'AV_Bool':
      return { kind: 'bool', is: any.value };
    case 'AV_Date':
      return { kind: 'date', is: any.value };
    case 'AV_Time':
      return { kind: 'timestamp', is: any.value };
    case 'AV_RelTime':
      return recordShape({ microseconds: { kind: 'int64', is: any.value.toString() } });
    case 'AV_List':
      return { kind: 'list', of: any.value.map(anyOf) };
    case 'AV_Map':
      return contextOf(any.value);
  }
}
