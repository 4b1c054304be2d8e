// The one command that is ever sent, for either way to submit: CIP-56's `TransferFactory_Transfer`, through our own
// issuer's factory or through another admin's, with what its registry told for this very transfer.
import { Command, DisclosedContract, ExerciseCommand } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Disclosure, Transfer, TransferFactory } from '../core/transfer.js';
import { contextValue } from './choice-context.js';
import type { LedgerSettings } from './settings.js';
import * as daml from './values.js';

export const TRANSFER_CHOICE = 'TransferFactory_Transfer';
export const TRANSFER_MODULE = 'Splice.Api.Token.TransferInstructionV1';
export const TRANSFER_INTERFACE = 'TransferFactory';

/** What of a submission follows from its factory. */
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
    // Our own factory shows to its admin and auditors only; another's comes disclosed, and our issuer has no part in it.
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
  const noMetadata = (): Value => daml.record({ values: daml.emptyTextMap() });
  return daml.record({
    expectedAdmin: daml.party(transfer.admin),
    transfer: daml.record({
      sender: daml.party(transfer.sender),
      receiver: daml.party(transfer.receiver),
      amount: daml.numeric(transfer.amount),
      instrumentId: daml.record({ admin: daml.party(transfer.admin), id: daml.text(transfer.instrumentId) }),
      requestedAt: daml.timestamp(transfer.requestedAt),
      executeBefore: daml.timestamp(transfer.executeBefore),
      inputHoldingCids: daml.contractIds(transfer.holdings),
      meta: noMetadata(),
    }),
    extraArgs: daml.record({ context: contextOf(transfer.factory), meta: noMetadata() }),
  });
}

const contextOf = (factory: TransferFactory): Value =>
  contextValue(factory.kind === 'own' ? new Map() : factory.context);
