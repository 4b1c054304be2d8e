// Reads for checks, which no row needs: whether this is the participant, the user and the packages that the settings
// name. Nothing here changes anything. If the participant lacks something, or does not let us ask, the read fails.
import {
  ListUserRightsRequest,
  type Right,
  UnimplementedUserManagementServiceService,
} from '#proto/com/daml/ledger/api/v2/admin/user_management_service.js';
import {
  CostEstimationHints,
  GetPreferredPackagesRequest,
  HashingSchemeVersion,
  PackageVettingRequirement,
  PrepareSubmissionRequest,
  UnimplementedInteractiveSubmissionServiceService,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import type { Micros } from '../core/ids.js';
import type { Transfer } from '../core/transfer.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { readFailure, unary, type Wire } from './call.js';
import { classifyPrepare } from './classify.js';
import type { LedgerSettings } from './settings.js';
import { transferCommand } from './transfer-command.js';
import { microsOfTimestamp } from './values.js';

const { ListUserRights } = UnimplementedUserManagementServiceService.definition;
const { GetPreferredPackages, PrepareSubmission } =
  UnimplementedInteractiveSubmissionServiceService.definition;

/** `any`: for every party. */
export interface UserRights {
  readonly actAs: ReadonlySet<string>;
  readonly readAs: ReadonlySet<string> | 'any';
  readonly executeAs: ReadonlySet<string> | 'any';
}

/** For the ledger user itself. A participant without authentication may answer `USER_NOT_FOUND`. */
export async function userRights(
  wire: Wire,
  userId: string,
  options: CallOptions,
): Promise<Read<UserRights>> {
  const called = await unary(wire, ListUserRights, new ListUserRightsRequest({ userId }), options);
  return called.kind === 'answer'
    ? { kind: 'read', value: rightsOf(called.value.rights) }
    : readFailure(called);
}

export function rightsOf(rights: readonly Right[]): UserRights {
  const has = (kind: Right['kind']): boolean => rights.some((right) => right.kind === kind);
  const of = (read: (right: Right) => string | undefined): ReadonlySet<string> =>
    new Set(rights.flatMap((right) => read(right) ?? []));
  return {
    actAs: of((right) => right.canActAs?.party),
    readAs: has('canReadAsAnyParty') ? 'any' : of((right) => right.canReadAs?.party),
    executeAs: has('canExecuteAsAnyParty') ? 'any' : of((right) => right.canExecuteAs?.party),
  };
}

export interface PreferredPackage {
  readonly name: string;
  readonly id: string;
  readonly version: string;
}

/** For each package name, the package that the participants of all these parties have vetted on that synchronizer. */
export async function preferredPackages(
  wire: Wire,
  { names, parties, synchronizerId }: PackageQuestion,
  options: CallOptions,
): Promise<Read<readonly PreferredPackage[]>> {
  const request = new GetPreferredPackagesRequest({
    packageVettingRequirements: names.map(
      (packageName) => new PackageVettingRequirement({ packageName, parties: [...parties] }),
    ),
    synchronizerId,
  });
  const called = await unary(wire, GetPreferredPackages, request, options);
  if (called.kind !== 'answer') return readFailure(called);
  return {
    kind: 'read',
    value: called.value.packageReferences.map(({ packageName, packageId, packageVersion }) => ({
      name: packageName,
      id: packageId,
      version: packageVersion,
    })),
  };
}

export interface PackageQuestion {
  readonly names: readonly string[];
  readonly parties: readonly string[];
  readonly synchronizerId: string;
}

/** What an unsigned preparation reveals about the participant. */
export interface Probe {
  /** `HashingSchemeVersion`: 2 or 3 if it is one we know. */
  readonly scheme: number;
  /** The participant's clock when it estimated the cost, in µs; null if it does not estimate. */
  readonly clock: Micros | null;
  /** Bytes of traffic that the transfer would cost; null if the participant does not estimate. */
  readonly cost: string | null;
}

/** `PrepareSubmission` changes nothing on the ledger; the preparation is dropped here and is never signed. */
export async function probePrepare(
  wire: Wire,
  settings: LedgerSettings,
  transfer: Transfer,
  scheme: 2 | 3,
  options: CallOptions,
): Promise<Read<Probe>> {
  const request = new PrepareSubmissionRequest({
    userId: settings.userId,
    commandId: transfer.commandId,
    actAs: [transfer.sender],
    synchronizerId: settings.synchronizerId,
    hashingSchemeVersion:
      scheme === 3
        ? HashingSchemeVersion.HASHING_SCHEME_VERSION_V3
        : HashingSchemeVersion.HASHING_SCHEME_VERSION_V2,
    estimateTrafficCost: new CostEstimationHints({ disabled: false }),
    ...transferCommand(transfer, settings),
  });
  const called = await unary(wire, PrepareSubmission, request, options);
  if (called.kind === 'not-called') return readFailure(called);
  if (called.kind === 'status') {
    return { kind: 'failed-read', refusal: classifyPrepare(called.status), pruned: false };
  }
  const { hashingSchemeVersion, costEstimation } = called.value;
  const at = costEstimation?.estimationTimestamp;
  return {
    kind: 'read',
    value: {
      scheme: hashingSchemeVersion,
      clock: at === undefined ? null : microsOfTimestamp(at),
      cost: costEstimation?.totalTrafficCostEstimation ?? null,
    },
  };
}
