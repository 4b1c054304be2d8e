// What created events hold: holdings, by the token standard's view of them, and transfer factories. Pure.
import type { CreatedEvent, InterfaceView } from '#proto/com/daml/ledger/api/v2/event.js';
import type { Holding, Lock, Place, UnreadableHolding } from '../core/holding.js';
import { type Fields, fieldsOf, instrumentOf, isEntity } from './values.js';

export type SeenHolding =
  | { readonly kind: 'holding'; readonly holding: Holding }
  | { readonly kind: 'unreadable'; readonly unreadable: UnreadableHolding };

export const HOLDING_MODULE = 'Splice.Api.Token.HoldingV1';
export const HOLDING_INTERFACE = 'Holding';

/**
 * A holding is what its view says, so that any CIP-56 token counts. Null: nothing that could be spent.
 *
 * Anybody can create a contract whose view names our instrument and a victim as its owner, of the genuine template too.
 * Chosen as an input it would make that owner's transfers fail for good, so an instrument is believed only where its
 * admin has signed.
 */
export function holdingOf(contract: CreatedEvent, place: Place): SeenHolding | null {
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
