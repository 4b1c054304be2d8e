// Active contracts: what a party holds, by the token standard's view of it, and an admin's transfer factories.
import type { CreatedEvent, InterfaceView } from '#proto/com/daml/ledger/api/v2/event.js';
import {
  GetActiveContractsRequest,
  type GetActiveContractsResponse,
  UnimplementedStateServiceService,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  InterfaceFilter,
  TemplateFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { isEntity } from '../core/entity.js';
import type { Holding, Holdings, Lock, Place, UnreadableHolding } from '../core/holding.js';
import { type Offset, type Party, sameSynchronizer } from '../core/ids.js';
import { type CallOptions, localFailure, type Read, type ReadFailure } from '../ports/ledger.js';
import { type Failed, type NotCalled, readFailure, serverStream, type Wire } from './call.js';
import type { LedgerSettings } from './settings.js';
import { TRANSFER_INTERFACE, TRANSFER_MODULE } from './transfer-command.js';
import { type Fields, identifier, instrumentOf, recordFields } from './values.js';

const { GetActiveContracts } = UnimplementedStateServiceService.definition;

export const HOLDING_MODULE = 'Splice.Api.Token.HoldingV1';
export const HOLDING_INTERFACE = 'Holding';

export type ReadHolding =
  | { readonly kind: 'holding'; readonly holding: Holding }
  | { readonly kind: 'unreadable'; readonly unreadable: UnreadableHolding };

/** Every CIP-56 holding, with its view. */
export const holdingFilter = ({ packages }: Pick<LedgerSettings, 'packages'>): CumulativeFilter =>
  new CumulativeFilter({
    interfaceFilter: new InterfaceFilter({
      interfaceId: identifier(packages.holding, HOLDING_MODULE, HOLDING_INTERFACE),
      includeInterfaceView: true,
    }),
  });

export const activeContractsRequest = (
  parties: readonly string[],
  filter: CumulativeFilter,
  at: Offset,
): GetActiveContractsRequest =>
  new GetActiveContractsRequest({
    activeAtOffset: at.toString(),
    eventFormat: new EventFormat({
      filtersByParty: new Map(parties.map((party) => [party, new Filters({ cumulative: [filter] })])),
      verbose: true,
    }),
  });

export async function holdings(
  wire: Wire,
  settings: LedgerSettings,
  parties: readonly Party[],
  at: Offset,
  options: CallOptions & { readonly most?: number },
): Promise<Read<ReadonlyMap<Party, Holdings>>> {
  const request = activeContractsRequest(parties, holdingFilter(settings), at);
  const entries = await activeContracts(wire, request, options);
  if (entries.kind === 'failed-read') return entries;
  const all = new Map(parties.map((party) => [party, new Map<string, ReadHolding>()]));
  entries.value.forEach((entry, index) => {
    const found = contractOf(entry, settings.synchronizerId);
    if (found === 'nothing') return;
    const contractId = found === 'unknown' ? `entry ${index}` : found.contract.contractId;
    const holding = found === 'unknown' ? UNKNOWN_ENTRY : holdingOf(found.contract, found.place);
    // A contract seen on two synchronizers counts once, on the one where it can be spent.
    const better = found !== 'unknown' && found.place.kind === 'here';
    if (holding === null) return;
    for (const seen of witnessesOf(found, all))
      if (better || !seen.has(contractId)) seen.set(contractId, holding);
  });
  return { kind: 'read', value: new Map([...all].map(([party, seen]) => [party, sorted(seen.values())])) };
}

/** Those of the parties asked about who see the contract. Where that is not told it may be anybody's. */
function witnessesOf<T>(found: ReturnType<typeof contractOf>, all: ReadonlyMap<string, T>): readonly T[] {
  const everybody = [...all.values()];
  if (typeof found === 'string' || everybody.length === 1) return everybody;
  const witnesses = found.contract.witnessParties.flatMap((party) => all.get(party) ?? []);
  return witnesses.length === 0 ? everybody : witnesses;
}

function sorted(seen: Iterable<ReadHolding>): Holdings {
  const holdings: Holding[] = [];
  const unreadable: UnreadableHolding[] = [];
  for (const one of seen)
    if (one.kind === 'holding') holdings.push(one.holding);
    else unreadable.push(one.unreadable);
  return { holdings, unreadable };
}

/**
 * A later participant may report contracts in a form we do not know. They may be money, so they must not make the
 * balance look smaller.
 */
const UNKNOWN_ENTRY: ReadHolding = {
  kind: 'unreadable',
  unreadable: {
    contractId: '',
    template: '',
    signatories: null,
    why: 'the participant reports a contract in a form that this version does not know',
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
  // The entry only says where the stream could be resumed.
  if (contract === undefined) return entry.streamContinuationToken.length > 0 ? 'nothing' : 'unknown';
  if (activeContract === undefined) return { contract, place: { kind: 'moving', to } };
  return { contract, place: here ? { kind: 'here' } : { kind: 'elsewhere', synchronizerId: at } };
}

/**
 * Our own tokens' factory template or, in a deployment that uses another template, whatever implements the interface.
 * Only their registries know the factories of other admins.
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
        interfaceId: identifier(packages.transfer, TRANSFER_MODULE, TRANSFER_INTERFACE),
      }),
    }),
  ];
  for (const filter of filters) {
    const request = activeContractsRequest([issuerParty], filter, at);
    const contracts = await activeContracts(wire, request, options);
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
  request: GetActiveContractsRequest,
  options: CallOptions & { readonly most?: number },
): Promise<Read<readonly GetActiveContractsResponse[]>> {
  const stream = serverStream(wire, GetActiveContracts, request, options);
  const entries: GetActiveContractsResponse[] = [];
  for (;;) {
    const next = await stream.next();
    // A snapshot's stream ends by itself; only a clean end means that it was complete.
    if (next.done) {
      if (next.value === null) return { kind: 'read', value: entries };
      return endedInTheMiddle(next.value, entries.length, options) ?? readFailure(next.value);
    }
    if (entries.length === options.most) {
      await stream.return(null);
      return localFailure('HOLDINGS_MANY', `together they have more than ${options.most} contracts`, false);
    }
    entries.push(next.value);
  }
}

/** With fewer, the participant may simply be slow for everybody. */
const MANY = 1_000;

/**
 * Time ran out while contracts were arriving: this party has more of them than can be read in time. That concerns
 * nobody else (and anybody can cause it).
 */
function endedInTheMiddle(
  ended: Failed | NotCalled,
  count: number,
  { timeoutMs }: CallOptions,
): ReadFailure | null {
  if (count < MANY || ended.kind !== 'status' || ended.status.code !== 'DEADLINE_EXCEEDED') return null;
  const detail = `the party has more contracts than can be read in ${timeoutMs} ms (${count} were): merge its holdings`;
  return localFailure('HOLDINGS_UNREAD', detail, false);
}

/**
 * A holding is what its view says, so any CIP-56 token counts. Null: it cannot be spent.
 *
 * Anybody can create a contract, even one of the genuine template, whose view names our instrument and a victim as
 * owner. Chosen as an input, it would fail that owner's transfers for good. So an instrument counts only if its admin
 * has signed the contract.
 */
export function holdingOf(contract: CreatedEvent, place: Place): ReadHolding | null {
  const view = contract.interfaceViews.find(({ interfaceId }) =>
    isEntity(interfaceId, HOLDING_MODULE, HOLDING_INTERFACE),
  );
  const read = readView(view);
  // An unreadable holding must not reduce the balance: whoever selects holdings has to know about it.
  if (typeof read === 'string') return { kind: 'unreadable', unreadable: unreadable(contract, read) };
  if (!signedBy(contract, read.admin)) return null;
  return { kind: 'holding', holding: { contractId: contract.contractId, ...read, place } };
}

type Viewed = Omit<Holding, 'contractId' | 'place'>;

function readView(view: InterfaceView | undefined): Viewed | string {
  if (view === undefined) return 'the participant shows no view of it';
  const { code = 0, message = '' } = view.viewStatus ?? {};
  if (code !== 0) return `its view cannot be computed (${code}: ${message.slice(0, 100)})`;
  const fields = recordFields(view.viewValue);
  const instrument = instrumentOf(fields?.fields('instrumentId') ?? null);
  const owner = fields?.party('owner') ?? null;
  const amount = fields?.amount('amount') ?? null;
  const lock = fields === null ? 'odd' : lockOf(fields);
  if (instrument === null || owner === null || amount === null || lock === 'odd')
    return 'its view does not follow the token standard';
  return { owner, admin: instrument.admin, instrumentId: instrument.id, amount, lock };
}

/** A lock whose end cannot be read has no end: the holding stays locked. */
function lockOf(fields: Fields): Lock | null | 'odd' {
  const present = fields.present('lock');
  if (present !== true) return present === null ? 'odd' : null;
  const lock = fields.optionalFields('lock');
  return { holders: lock?.parties('holders') ?? [], expiresAt: lock?.optionalTime('expiresAt') ?? null };
}

function unreadable({ contractId, templateId, signatories }: CreatedEvent, why: string): UnreadableHolding {
  const template = `${templateId?.moduleName ?? ''}:${templateId?.entityName ?? ''}`;
  return { contractId, template, signatories, why };
}

export function factoryAdminOf(contract: CreatedEvent): string | null {
  const admin = recordFields(contract.createArguments)?.party('admin') ?? null;
  return admin !== null && signedBy(contract, admin) ? admin : null;
}

const signedBy = (contract: CreatedEvent, party: string): boolean => contract.signatories.includes(party);
