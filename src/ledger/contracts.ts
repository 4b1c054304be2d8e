// What created events hold: the two templates of holdings that are known, and transfer factories. Pure.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import type { Holding } from '../core/ports.js';
import type { LedgerSettings } from './settings.js';
import { fieldsOf, instrumentOf, isEntity } from './values.js';

/**
 * Null: nothing that could be spent here. `unreadable`: one of our own issuer's, but not as we know it.
 *
 * Anybody can create a contract whose payload names our instrument and a victim as its owner, from the genuine
 * template too. Chosen as an input it would make that owner's transfers fail for good, so an instrument is believed
 * only where its admin has signed.
 */
export function holdingOf(contract: CreatedEvent, settings: LedgerSettings): Holding | null | 'unreadable' {
  const fields = fieldsOf(contract.createArguments);
  const cip56 = isEntity(contract.templateId, 'CIP56.Token', 'CIP56Holding');
  // CIP56Holding has instrumentId {admin, id}; a utility registry's holding has instrument {source, id}.
  const instrument = cip56
    ? instrumentOf(fields?.record('instrumentId') ?? null)
    : instrumentOf(fields?.record('instrument') ?? null, 'source');
  const owner = fields?.party('owner') ?? null;
  const amount = fields?.amount('amount') ?? null;
  const locked = fields?.present('lock') ?? null;
  if (instrument === null || owner === null || amount === null || locked === null) {
    return cip56 && signedBy(contract, settings.issuerParty) ? 'unreadable' : null;
  }
  const { admin, id: instrumentId } = instrument;
  return signedBy(contract, admin)
    ? { contractId: contract.contractId, owner, admin, instrumentId, amount, locked }
    : null;
}

export function factoryAdminOf(contract: CreatedEvent): string | null {
  const admin = fieldsOf(contract.createArguments)?.party('admin') ?? null;
  return admin !== null && signedBy(contract, admin) ? admin : null;
}

const signedBy = (contract: CreatedEvent, party: string): boolean => contract.signatories.includes(party);
