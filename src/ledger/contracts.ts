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
import type { Holding, Holdings, Lock, Place, UnreadableHolding } from '../core/holding.js';
import { type Offset, type Party, sameSynchronizer } from '../core/ids.js';
import type { CallOptions, Read, ReadFailure } from '../ports/ledger.js';
import { type Failed, localFailure, type NotCalled, readFailure, serverStream, type Wire } from './call.js';
import type { LedgerSettings } from './settings.js';
import { TRANSFER_INTERFACE, TRANSFER_MODULE } from './transfer-command.js';
import { type Fields, fieldsOf, identifier, instrumentOf, isEntity } from './values.js';

const { GetActiveContracts } = UnimplementedStateServiceService.definition;

export const HOLDING_MODULE = 'Splice.Api.Token.HoldingV1';
export const HOLDING_INTERFACE = 'Holding';

export type ReadHolding =
  | { readonly kind: 'holding'; readonly holding: Holding }
  | { readonly kind: 'unreadable'; readonly unreadable: UnreadableHolding };

/** Holdings of any CIP-56 token, with their views. */
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
  party: Party,
  at: Offset,
  options: CallOptions,
): Promise<Read<Holdings>> {
  const request = activeContractsRequest([party], holdingFilter(settings), at);
  const entries = await activeContracts(wire, request, options);
  if (entries.kind === 'failed-read') return entries;
  const seen = new Map<string, ReadHolding>();
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

/** Money may be there in a form that a later participant tells of: no smaller balance. */
const UNKNOWN_ENTRY: ReadHolding = {
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
  options: CallOptions,
): Promise<Read<readonly GetActiveContractsResponse[]>> {
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

/**
 * A holding is what its view says, so that any CIP-56 token counts. Null: nothing that could be spent.
 *
 * Anybody can create a contract whose view names our instrument and a victim as its owner, of the genuine template too.
 * Chosen as an input it would make that owner's transfers fail for good, so an instrument is believed only where its
 * admin has signed.
 */
export function holdingOf(contract: CreatedEvent, place: Place): ReadHolding | null {
  const view = contract.interfaceViews.find(({ interfaceId }) =>
    isEntity(interfaceId, HOLDING_MODULE, HOLDING_INTERFACE),
  );
  const read = readView(view);
  // What cannot be read is no lesser balance: whoever chooses holdings has to know that it is there.
  if (typeof read === 'string') return { kind: 'unreadable', unreadable: unreadable(contract, read) };
  if (!signedBy(contract, read.admin)) return null;
  return { kind: 'holding', holding: { contractId: contract.contractId, ...read, place } };
}

type Viewed = Omit<Holding, 'contractId' | 'place'>;

function readView(view: InterfaceView | undefined): Viewed | string {
  if (view === undefined) return 'the participant shows no view of it';
  const { code = 0, message = '' } = view.viewStatus ?? {};
  if (code !== 0) return `its view cannot be computed (${code}: ${message.slice(0, 100)})`;
  const fields = fieldsOf(view.viewValue);
  const instrument = instrumentOf(fields?.record('instrumentId') ?? null);
  const owner = fields?.party('owner') ?? null;
  const amount = fields?.amount('amount') ?? null;
  const lock = fields === null ? 'odd' : lockOf(fields);
  if (instrument === null || owner === null || amount === null || lock === 'odd')
    return 'its view is not as the token standard has it';
  return { owner, admin: instrument.admin, instrumentId: instrument.id, amount, lock };
}

/** An end that cannot be read is none: the holding is locked. */
function lockOf(fields: Fields): Lock | null | 'odd' {
  const present = fields.present('lock');
  if (present !== true) return present === null ? 'odd' : null;
  const lock = fields.optionalRecord('lock');
  return { holders: lock?.parties('holders') ?? [], expiresAt: lock?.optionalTime('expiresAt') ?? null };
}

function unreadable({ contractId, templateId, signatories }: CreatedEvent, why: string): UnreadableHolding {
  const template = `${templateId?.moduleName ?? ''}:${templateId?.entityName ?? ''}`;
  return { contractId, template, signatories, why };
}

export function factoryAdminOf(contract: CreatedEvent): string | null {
  const admin = fieldsOf(contract.createArguments)?.party('admin') ?? null;
  return admin !== null && signedBy(contract, admin) ? admin : null;
}

const signedBy = (contract: CreatedEvent, party: string): boolean => contract.signatories.includes(party);
