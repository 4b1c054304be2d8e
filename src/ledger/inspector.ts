// What `doctor`, and `run` before its first pin, ask the participant and the registries.

import type { Transfer } from '../core/transfer.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import type { Wire } from './call.js';
import { type HoldingSamples, type HoldingsQuestion, holdingSamples } from './inspect-holdings.js';
import {
  type PackageQuestion,
  type PreferredPackage,
  type Probe,
  preferredPackages,
  probePrepare,
  type UserRights,
  userRights,
} from './inspect-participant.js';
import { type RegistryInstrument, registryInstrument } from './registry-metadata.js';
import type { LedgerSettings } from './settings.js';
import { type ConnectedSynchronizer, connectedSynchronizers } from './state.js';

/** Reads only. Calls that need the ledger user come after `Ledger.userId`. */
export interface Inspector {
  synchronizers(party: string | null, options: CallOptions): Promise<Read<readonly ConnectedSynchronizer[]>>;
  rights(userId: string, options: CallOptions): Promise<Read<UserRights>>;
  packages(question: PackageQuestion, options: CallOptions): Promise<Read<readonly PreferredPackage[]>>;
  holdings(question: HoldingsQuestion, options: CallOptions): Promise<Read<HoldingSamples>>;
  probe(transfer: Transfer, scheme: 2 | 3, options: CallOptions): Promise<Read<Probe>>;
  instrument(
    registry: { readonly url: string; readonly admin: string },
    instrumentId: string,
    options: CallOptions,
  ): Promise<Read<RegistryInstrument>>;
}

export const createInspector = (
  wire: Wire,
  settings: LedgerSettings,
  known: Map<string, string>,
): Inspector => ({
  synchronizers: (party, call) => connectedSynchronizers(wire, party, call),
  rights: (userId, call) => userRights(wire, userId, call),
  packages: (question, call) => preferredPackages(wire, question, call),
  holdings: (question, call) => holdingSamples(wire, settings, question, call),
  probe: (transfer, scheme, call) => probePrepare(wire, settings, transfer, scheme, call),
  instrument: (registry, id, call) => registryInstrument({ ...registry, known }, id, call),
});
