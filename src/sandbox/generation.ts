// What a participant of a given version can do: which calls exist, which fields it fills in and understands.

export interface Generation {
  readonly executeAndWait: boolean;
  /**
   * Enforced by the confirmers, with a verdict; before, by the executing participant, which sends nothing later than
   * it.
   */
  readonly maxRecordTimeVerdict: boolean;
  /**
   * Protocol version 35: prepared transactions name the physical synchronizer, with version and serial after the id.
   */
  readonly physicalSynchronizer: boolean;
  /** Completion.transaction_hash. */
  readonly completionHash: boolean;
  readonly costEstimation: boolean;
  /** Completion.paid_traffic_cost. */
  readonly paidTraffic: boolean;
  /** Traffic accounts, one per acting party, that submissions are charged to. */
  readonly trafficAccounts: boolean;
  /** PrepareSubmissionRequest.hashing_scheme_version; older versions do not know the field and ignore it. */
  readonly asksForScheme: boolean;
  /** Hashing scheme V3 besides V2, from protocol version 35; contract keys, which only V3 hashes. */
  readonly hashesV3: boolean;
  readonly completionByHash: boolean;
  /** Transaction.transaction_hash, besides external_transaction_hash. */
  readonly transactionHash: boolean;
  /** GetParticipantId needs no administrator. */
  readonly openParticipantId: boolean;
  /**
   * Records in events and in prepared transactions end with their last field that is not None (3.4.4's release
   * notes).
   */
  readonly leavesOutTrailingNones: boolean;
  /** Active contracts include those in the middle of a reassignment, without being asked to. */
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

/** A suffix (`-SNAPSHOT`) does not count. */
function isBefore(version: string, than: readonly number[]): boolean {
  const numbers = (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
  for (const [place, number] of than.entries()) {
    const own = numbers[place] ?? 0;
    if (own !== number) return own < number;
  }
  return false;
}
