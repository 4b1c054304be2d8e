// The ledger's state at an offset: its end, all that a party holds, an admin's transfer factories, what was pruned.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import {
  GetActiveContractsRequest,
  type GetActiveContractsResponse,
  GetConnectedSynchronizersRequest,
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
import type { Holdings, Place } from '../core/holding.js';
import { type Offset, type Party, sameSynchronizer } from '../core/ids.js';
import type { CallOptions, Read, ReadFailure } from '../ports/ledger.js';
import {
  type Failed,
  localFailure,
  type NotCalled,
  offsetOf,
  readFailure,
  serverStream,
  unary,
  unreadable,
  type Wire,
} from './call.js';
import {
  factoryAdminOf,
  HOLDING_INTERFACE,
  HOLDING_MODULE,
  holdingOf,
  type SeenHolding,
} from './contracts.js';
import type { LedgerSettings } from './settings.js';
import { identifier } from './values.js';

const { GetLedgerEnd, GetLatestPrunedOffsets, GetActiveContracts, GetConnectedSynchronizers } =
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
): Promise<Read<Holdings>> {
  const filter = new CumulativeFilter({
    interfaceFilter: new InterfaceFilter({
      interfaceId: identifier(settings.packages.holding, HOLDING_MODULE, HOLDING_INTERFACE),
      includeInterfaceView: true,
    }),
  });
  const entries = await activeContracts(wire, party, filter, at, options);
  if (entries.kind === 'failed-read') return entries;
  const seen = new Map<string, SeenHolding>();
  for (const entry of entries.value) {
    const found = contractOf(entry, settings.synchronizerId);
    if (found === 'nothing') continue;
    const contractId = found === 'unknown' ? `entry ${seen.size}` : found.contract.contractId;
    const holding = found === 'unknown' ? UNKNOWN_ENTRY : holdingOf(found.contract, found.place);
    // Seen on two synchronizers, it counts once, and where it can be spent.
    const better = found !== 'unknown' && found.place.kind === 'here';
    if (holding !== null && (better || !seen.has(contractId))) seen.set(contractId, holding);
  }
  const all = [...seen.values()];
  return {
    kind: 'read',
    value: {
      holdings: all.flatMap((one) => (one.kind === 'holding' ? [one.holding] : [])),
      unreadable: all.flatMap((one) => (one.kind === 'unreadable' ? [one.unreadable] : [])),
    },
  };
}

export async function synchronizersOf(
  wire: Wire,
  party: Party,
  options: CallOptions,
): Promise<Read<readonly string[]>> {
  const request = new GetConnectedSynchronizersRequest({ party });
  const called = await unary(wire, GetConnectedSynchronizers, request, options);
  if (called.kind !== 'answer') return readFailure(called);
  return {
    kind: 'read',
    value: called.value.connectedSynchronizers.map(({ synchronizerId }) => synchronizerId),
  };
}

/** Money may be there in a form that a later participant tells of: no smaller balance. */
const UNKNOWN_ENTRY: SeenHolding = {
  kind: 'unreadable',
  unreadable: {
    contractId: '',
    template: '',
    signatories: null,
    why: 'the participant tells of a contract in a form that is not known here',
  },
};

export function contractOf(
  entry: GetActiveContractsResponse,
  synchronizerId: string,
): { readonly contract: CreatedEvent; readonly place: Place } | 'unknown' | 'nothing' {
  const { activeContract, incompleteUnassigned, incompleteAssigned } = entry;
  const at = activeContract?.synchronizerId ?? '';
  const here = at === '' || sameSynchronizer(at, synchronizerId);
  const assigned = incompleteAssigned?.assignedEvent;
  const to = incompleteUnassigned?.unassignedEvent?.target ?? assigned?.target ?? '';
  const contract =
    activeContract?.createdEvent ?? incompleteUnassigned?.createdEvent ?? assigned?.createdEvent;
  // Nothing but where the stream could be taken up again.
  if (contract === undefined) return entry.streamContinuationToken.length > 0 ? 'nothing' : 'unknown';
  if (activeContract === undefined) return { contract, place: { kind: 'moving', to } };
  return { contract, place: here ? { kind: 'here' } : { kind: 'elsewhere', synchronizerId: at } };
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
    const own = contracts.value.flatMap((entry) => {
      const found = contractOf(entry, settings.synchronizerId);
      if (typeof found === 'string' || found.place.kind !== 'here') return [];
      return factoryAdminOf(found.contract) === admin ? [found.contract] : [];
    });
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
): Promise<Read<readonly GetActiveContractsResponse[]>> {
  const request = new GetActiveContractsRequest({
    activeAtOffset: at.toString(),
    eventFormat: new EventFormat({
      filtersByParty: new Map([[party, new Filters({ cumulative: [filter] })]]),
      verbose: true,
    }),
  });
  const stream = serverStream(wire, GetActiveContracts, request, options);
  const entries: GetActiveContractsResponse[] = [];
  for (;;) {
    const next = await stream.next();
    // The stream of a snapshot ends by itself; only its clean end says that it was the whole of it.
    if (next.done) {
      if (next.value === null) return { kind: 'read', value: entries };
      return endedInTheMiddle(next.value, entries.length, options) ?? readFailure(next.value);
    }
    entries.push(next.value);
  }
}

/** Fewer may as well have been told by a participant that is slow with everybody. */
const MANY = 1_000;

/**
 * Time was up while contracts came: this party has more of them than can be read, which is nobody else's trouble (and
 * anybody can make it some).
 */
function endedInTheMiddle(
  ended: Failed | NotCalled,
  count: number,
  { timeoutMs }: CallOptions,
): ReadFailure | null {
  if (count < MANY || ended.kind !== 'status' || ended.status.code !== 'DEADLINE_EXCEEDED') return null;
  const detail = `${count} contracts of the party were read in ${timeoutMs} ms, and they were not all`;
  return localFailure('HOLDINGS_UNREAD', detail, false);
}
