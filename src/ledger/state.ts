// The ledger's state at an offset: its end, a party's holdings, an admin's transfer factories, what was pruned.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import {
  GetActiveContractsRequest,
  GetLatestPrunedOffsetsRequest,
  GetLedgerEndRequest,
  UnimplementedStateServiceService,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  InterfaceFilter,
  TemplateFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import type { Offset, Party } from '../core/ids.js';
import type { CallOptions, Holding, Read } from '../core/ports.js';
import { localFailure, offsetOf, readFailure, serverStream, unary, unreadable, type Wire } from './call.js';
import { factoryAdminOf, holdingOf } from './contracts.js';
import type { LedgerSettings } from './settings.js';
import { identifier } from './values.js';

const { GetLedgerEnd, GetLatestPrunedOffsets, GetActiveContracts } =
  UnimplementedStateServiceService.definition;

export async function ledgerEnd(wire: Wire, options: CallOptions): Promise<Read<Offset>> {
  const called = await unary(wire, GetLedgerEnd, new GetLedgerEndRequest(), options);
  return called.kind === 'answer' ? offsetRead(called.value.offset) : readFailure(called);
}

export async function prunedUpTo(wire: Wire, options: CallOptions): Promise<Read<Offset>> {
  const called = await unary(wire, GetLatestPrunedOffsets, new GetLatestPrunedOffsetsRequest(), options);
  return called.kind === 'answer'
    ? offsetRead(called.value.participantPrunedUpToInclusive)
    : readFailure(called);
}

function offsetRead(text: string): Read<Offset> {
  const value = offsetOf(text);
  return value === null ? unreadable(`an offset of ${JSON.stringify(text)}`) : { kind: 'read', value };
}

export async function holdings(
  wire: Wire,
  settings: LedgerSettings,
  party: Party,
  at: Offset,
  options: CallOptions,
): Promise<Read<readonly Holding[]>> {
  const filter = new CumulativeFilter({
    interfaceFilter: new InterfaceFilter({
      interfaceId: identifier(settings.packages.holding, 'Splice.Api.Token.HoldingV1', 'Holding'),
    }),
  });
  const contracts = await activeContracts(wire, party, filter, at, options);
  if (contracts.kind === 'failed-read') return contracts;
  const found: Holding[] = [];
  for (const contract of contracts.value) {
    const holding = holdingOf(contract, settings);
    if (holding === 'unreadable') {
      // Skipped, it would read as a smaller balance, and a transfer would fail for it.
      return localFailure(
        'ANSWER_UNREADABLE',
        `our token's holding ${contract.contractId} cannot be read`,
        false,
      );
    }
    if (holding !== null) found.push(holding);
  }
  return { kind: 'read', value: found };
}

/**
 * The factory template of our own tokens; where a deployment has another, whatever implements the interface. Those of
 * other admins are only known to their registries.
 */
export async function transferFactories(
  wire: Wire,
  settings: LedgerSettings,
  admin: string,
  at: Offset,
  options: CallOptions,
): Promise<Read<readonly string[]>> {
  const { issuerParty, packages } = settings;
  if (admin !== issuerParty) return { kind: 'read', value: [] };
  const filters = [
    new CumulativeFilter({
      templateFilter: new TemplateFilter({
        templateId: identifier(packages.cip56, 'CIP56.TransferFactory', 'CIP56TransferFactory'),
      }),
    }),
    new CumulativeFilter({
      interfaceFilter: new InterfaceFilter({
        interfaceId: identifier(
          packages.transfer,
          'Splice.Api.Token.TransferInstructionV1',
          'TransferFactory',
        ),
      }),
    }),
  ];
  for (const filter of filters) {
    const contracts = await activeContracts(wire, issuerParty, filter, at, options);
    if (contracts.kind === 'failed-read') return contracts;
    const own = contracts.value.filter((contract) => factoryAdminOf(contract) === admin);
    if (own.length > 0) return { kind: 'read', value: own.map((contract) => contract.contractId).sort() };
  }
  return { kind: 'read', value: [] };
}

async function activeContracts(
  wire: Wire,
  party: string,
  filter: CumulativeFilter,
  at: Offset,
  options: CallOptions,
): Promise<Read<readonly CreatedEvent[]>> {
  const request = new GetActiveContractsRequest({
    activeAtOffset: at.toString(),
    eventFormat: new EventFormat({
      filtersByParty: new Map([[party, new Filters({ cumulative: [filter] })]]),
      verbose: true,
    }),
  });
  const stream = serverStream(wire, GetActiveContracts, request, options);
  const contracts: CreatedEvent[] = [];
  for (;;) {
    const next = await stream.next();
    // The stream of a snapshot ends by itself; only its clean end says that it was the whole of it.
    if (next.done) return next.value === null ? { kind: 'read', value: contracts } : readFailure(next.value);
    const created = next.value.activeContract?.createdEvent;
    if (created !== undefined) contracts.push(created);
  }
}
