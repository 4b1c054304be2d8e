// The one command that is ever sent, by either kind of sender, and the one call that sends a hosted party's: CIP-56's
// `TransferFactory_Transfer`, through our own issuer's factory, or through another admin's with what its registry supplied
// for this very transfer.
import {
  SubmitAndWaitRequest,
  UnimplementedCommandServiceService,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import {
  Command,
  Commands,
  DisclosedContract,
  ExerciseCommand,
} from '#proto/com/daml/ledger/api/v2/commands.js';
import { List, TextMap, TextMapEntry, Value, Variant } from '#proto/com/daml/ledger/api/v2/value.js';
import type { AnyValue, Disclosure, HostedSubmission, Transfer, TransferFactory } from '../core/transfer.js';
import type { SendOptions } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';
import { blameRegistry, outcomeOf } from './answer.js';
import { unary, type Wire } from './call.js';
import type { LedgerSettings } from './settings.js';
import * as daml from './values.js';

export const TRANSFER_CHOICE = 'TransferFactory_Transfer';
export const TRANSFER_MODULE = 'Splice.Api.Token.TransferInstructionV1';
export const TRANSFER_INTERFACE = 'TransferFactory';

/** The parts of a submission that depend on the factory. */
export interface TransferCommand {
  readonly commands: Command[];
  readonly readAs: string[];
  readonly disclosedContracts: DisclosedContract[];
}

export function transferCommand(
  transfer: Omit<Transfer, 'commandId'>,
  settings: LedgerSettings,
): TransferCommand {
  const { factory } = transfer;
  const exercise = new ExerciseCommand({
    templateId: daml.identifier(settings.packages.transfer, TRANSFER_MODULE, TRANSFER_INTERFACE),
    contractId: factory.contractId,
    choice: TRANSFER_CHOICE,
    choiceArgument: transferArgument(transfer),
  });
  return {
    commands: [new Command({ exercise })],
    // Our own factory is visible to its admin and auditors only. Another admin's arrives disclosed, and our issuer is
    // not involved.
    readAs: factory.kind === 'own' ? [settings.issuerParty] : [],
    disclosedContracts: factory.kind === 'own' ? [] : factory.disclosed.map(disclosedContract),
  };
}

const disclosedContract = ({ contractId, templateId, createdEventBlob, synchronizerId }: Disclosure) =>
  new DisclosedContract({
    contractId,
    templateId: daml.identifier(templateId.packageId, templateId.moduleName, templateId.entityName),
    createdEventBlob,
    synchronizerId,
  });

function transferArgument(transfer: Omit<Transfer, 'commandId'>): Value {
  const noMetadata = (): Value => daml.recordValue({ values: daml.emptyTextMap() });
  return daml.recordValue({
    expectedAdmin: daml.partyValue(transfer.admin),
    transfer: daml.recordValue({
      sender: daml.partyValue(transfer.sender),
      receiver: daml.partyValue(transfer.receiver),
      amount: daml.numeric(transfer.amount),
      instrumentId: daml.recordValue({
        admin: daml.partyValue(transfer.admin),
        id: daml.textValue(transfer.instrumentId),
      }),
      requestedAt: daml.timestamp(transfer.requestedAt),
      executeBefore: daml.timestamp(transfer.executeBefore),
      inputHoldingCids: daml.contractIds(transfer.holdings),
      meta: noMetadata(),
    }),
    extraArgs: daml.recordValue({ context: contextOf(transfer.factory), meta: noMetadata() }),
  });
}

const contextOf = (factory: TransferFactory): Value =>
  contextValue(factory.kind === 'own' ? new Map() : factory.context);

/**
 * A registry's `ChoiceContext {values: TextMap AnyValue}`. Keys are sorted, so that the same context gives the same
 * bytes.
 */
export const contextValue = (values: ReadonlyMap<string, AnyValue>): Value =>
  daml.recordValue({ values: textMap(values) });

const textMap = (values: ReadonlyMap<string, AnyValue>): Value =>
  new Value({
    textMap: new TextMap({
      entries: [...values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => new TextMapEntry({ key, value: anyValue(value) })),
    }),
  });

const anyValue = (given: AnyValue): Value =>
  new Value({ variant: new Variant({ constructorName: given.tag, value: held(given) }) });

function held(given: AnyValue): Value {
  switch (given.tag) {
    case 'AV_Text':
      return daml.textValue(given.value);
    case 'AV_Party':
      return daml.partyValue(given.value);
    case 'AV_ContractId':
      return new Value({ contractId: given.value });
    case 'AV_Decimal':
      return new Value({ numeric: given.value });
    case 'AV_Int':
      return new Value({ int64: given.value });
    case 'AV_Bool':
      return new Value({ bool: given.value });
    case 'AV_Date':
      return new Value({ date: given.value });
    case 'AV_Time':
      return daml.timestamp(given.value);
    case 'AV_RelTime':
      return daml.recordValue({ microseconds: new Value({ int64: given.value.toString() }) });
    case 'AV_List':
      return new Value({ list: new List({ elements: given.value.map(anyValue) }) });
    case 'AV_Map':
      // The standard's Daml type is `TextMap AnyValue`; a list of pairs would not type-check.
      return textMap(given.value);
  }
}

/** The ForTransaction form must never be used: it looks up the transaction after the commit, and can fail there. */
const submitAndWait = UnimplementedCommandServiceService.definition.SubmitAndWait;

export async function submitCommand(
  wire: Wire,
  settings: LedgerSettings,
  submission: HostedSubmission,
  options: SendOptions,
): Promise<Outcome> {
  const request = new SubmitAndWaitRequest({ commands: commandsOf(submission, settings) });
  const { factory } = submission;
  // No await here either: the request is as large as the rest of the row together.
  return unary(wire, submitAndWait, request, {
    ...options,
    onlyWhenReady: true,
    about: submission.commandId,
  }).then((called) => {
    const outcome = outcomeOf(called);
    if (outcome.kind !== 'refused') return outcome;
    return { kind: 'refused', refusal: blameRegistry(outcome.refusal, factory) };
  });
}

/**
 * Without a deduplication period the participant uses its longest one. No workflow id and no minimum ledger time: the
 * transfer's own `executeBefore` is its only bound.
 */
export function commandsOf(submission: HostedSubmission, settings: LedgerSettings): Commands {
  return new Commands({
    userId: settings.userId,
    commandId: submission.commandId,
    submissionId: submission.submissionId,
    actAs: [submission.sender],
    synchronizerId: settings.synchronizerId,
    ...transferCommand(submission, settings),
  });
}
