// What a participant of some version can do: which calls exist, which fields it fills and understands.

export interface Generation {
  readonly executeAndWait: boolean;
  /** Enforced by whoever confirms, with a verdict; before, by the executing participant, which sends no later. */
  readonly maxRecordTimeVerdict: boolean;
  /** Protocol version 35: prepared transactions name the physical synchronizer, its version and serial behind the id. */
  readonly physicalSynchronizer: boolean;
  /** Completion.transaction_hash. */
  readonly completionHash: boolean;
  readonly costEstimation: boolean;
  /** Completion.paid_traffic_cost. */
  readonly paidTraffic: boolean;
  /** Accounts of traffic, one for each acting party, that a submission is held against. */
  readonly trafficAccounts: boolean;
  /** PrepareSubmissionRequest.hashing_scheme_version; before, the field is unknown and does nothing. */
  readonly asksForScheme: boolean;
  /** Hashing scheme V3 beside V2, of protocol version 35; contract keys, which only V3 hashes. */
  readonly hashesV3: boolean;
  readonly completionByHash: boolean;
  /** Transaction.transaction_hash, beside external_transaction_hash. */
  readonly transactionHash: boolean;
  /** GetParticipantId needs no administrator. */
  readonly openParticipantId: boolean;
  /** Records of events and of prepared transactions end with their last field that is not None (3.4.4's release notes). */
  readonly leavesOutTrailingNones: boolean;
  /** Active contracts tell of those in the middle of a reassignment, without being asked to. */
  readonly tellsReassignments: boolean;
  /** A token says whom it is for. */
  readonly wantsAudience: boolean;
}

export function generationOf(apiVersion: string): Generation {
  const since = (major: number, minor: number, patch = 0) => !isBefore(apiVersion, [major, minor, patch]);
  return {
    executeAndWait: since(3, 4, 4),
    maxRecordTimeVerdict: since(3, 5),
    physicalSynchronizer: since(3, 5),
    completionHash: since(3, 5),
    costEstimation: since(3, 5),
    paidTraffic: since(3, 5),
    trafficAccounts: since(3, 5, 7),
    asksForScheme: since(3, 5),
    hashesV3: since(3, 5),
    completionByHash: since(3, 6),
    transactionHash: since(3, 6),
    openParticipantId: since(3, 6),
    leavesOutTrailingNones: since(3, 4, 4),
    tellsReassignments: !since(3, 7),
    wantsAudience: since(3, 7),
  };
}

const PHYSICAL = '::35-0';

/** As a prepared transaction names it. */
export function signedSynchronizer(synchronizerId: string, { physicalSynchronizer }: Generation): string {
  return physicalSynchronizer ? synchronizerId + PHYSICAL : synchronizerId;
}

/** What follows the numbers (`-SNAPSHOT`) does not count. */
function isBefore(version: string, than: readonly number[]): boolean {
  const numbers = (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
  for (const [place, number] of than.entries()) {
    const own = numbers[place] ?? 0;
    if (own !== number) return own < number;
  }
  return false;
}
