// What topology knows about parties, asked once a transaction has been interpreted: who is known, and who may submit
// here.
import { refuse } from '../errors.js';
import type { LedgerState } from './ledger-state.js';
import { placeOf } from './records.js';

/** Every party must be known; the participant only notices when it routes, after interpretation. */
export function requireKnown(
  state: LedgerState,
  submitters: readonly string[],
  informees: Iterable<string>,
): void {
  const { whereabouts } = state.conditions;
  const isUnknown = (party: string) => !state.hasParty(party) || whereabouts.get(party) === 'unknown';
  const unknownSubmitters = submitters.filter(isUnknown);
  if (unknownSubmitters.length > 0) {
    refuse('UNKNOWN_SUBMITTERS', `Some submitters are unknown: ${unknownSubmitters.join(', ')}`, {
      resources: unknownSubmitters.map((party) => ['PARTY', party]),
    });
  }
  const everybody = [...informees];
  const unknownInformees = everybody.filter(isUnknown);
  if (unknownInformees.length > 0) {
    refuse(
      'UNKNOWN_INFORMEES',
      `The participant is not connected to any synchronizer where the given informees are known: ${unknownInformees.join(', ')}`,
      {
        resources: unknownInformees.map((party) => ['PARTY', party]),
      },
    );
  }
  const inactive = (party: string) => whereabouts.get(party) === 'inactive';
  for (const [id, who] of [
    ['SUBMITTERS_NOT_ACTIVE', submitters],
    ['INFORMEES_NOT_ACTIVE', everybody],
  ] as const) {
    const them = who.filter(inactive);
    if (them.length > 0) refuse(id, `Some parties are not active on the synchronizer: ${them.join(', ')}`);
  }
  const moving = [...submitters, ...everybody].filter((party) => whereabouts.get(party) === 'onboarding');
  if (moving.length > 0)
    refuse('PARTY_CURRENTLY_ONBOARDING', `Some parties are being onboarded: ${moving.join(', ')}`);
}

/** The synchronizer that the command names must be the one its contracts are on. */
export function requireHere(state: LedgerState, contractIds: readonly string[]): void {
  const elsewhere = contractIds.filter((id) => {
    const contract = state.contracts.get(id);
    return contract !== undefined && placeOf(contract) !== 'here';
  });
  if (elsewhere.length === 0) return;
  refuse(
    'UNKNOWN_CONTRACT_SYNCHRONIZERS',
    `The synchronizers of the contracts ${elsewhere.join(', ')} are unknown, or not the prescribed one`,
    { resources: elsewhere.map((id) => ['CONTRACT_ID', id]) },
  );
}

/** An external party has given no participant the right to submit for it. */
export function requireHosted(state: LedgerState, submitters: readonly string[]): void {
  const external = submitters.filter((party) => state.keyOf(party) !== undefined);
  if (external.length === 0) return;
  refuse(
    'NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT',
    `This participant cannot submit as the given submitters on any connected synchronizer: ${external.join(', ')}`,
    { resources: external.map((party) => ['PARTY', party]) },
  );
}
