// InteractiveSubmissionService, for external parties. Prepare is a read; execute submits.
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  ExecuteSubmissionAndWaitResponse,
  ExecuteSubmissionResponse,
  type GetPreferredPackagesRequest,
  GetPreferredPackagesResponse,
  type PrepareSubmissionRequest,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { PackageReference } from '#proto/com/daml/ledger/api/v2/package_reference.js';
import { wallMs } from '../clock.js';
import { knownPackage } from '../daml/packages.js';
import { refuse } from '../errors.js';
import type { Host } from '../host.js';
import { type ExecuteRequest, readExecute } from './execute-call.js';
import { failureFrom, unary } from './gate.js';
import { commandsOf, prepare } from './prepare-call.js';
import { readCommands } from './read-commands.js';
import { type Caller, waiting } from './reply.js';
import { bareFailure } from './status.js';
import { receiveSubmission } from './submission-call.js';
import { requireSynchronizer } from './validate.js';

const SERVICE = 'InteractiveSubmissionService';

export function interactiveService(host: Host) {
  return {
    PrepareSubmission: unary(
      host,
      `${SERVICE}/PrepareSubmission`,
      (request: PrepareSubmissionRequest) => ({
        doing: 'prepare' as const,
        parties: request.actAs,
        readAs: request.readAs,
        userId: request.userId,
        commandId: request.commandId,
        receivers: readCommands(commandsOf(request)).choices.map(({ transfer }) => transfer.receiver),
      }),
      (request, participant, actions) => prepare(host, request, participant, actions),
    ),
    ExecuteSubmission: executing<ExecuteSubmissionResponse>(host, 'ExecuteSubmission', (call, callback) => {
      const acknowledge = () => callback(null, new ExecuteSubmissionResponse());
      return { ...waiting(call, callback, () => new ExecuteSubmissionResponse()), acknowledge };
    }),
    ExecuteSubmissionAndWait: executing<ExecuteSubmissionAndWaitResponse>(
      host,
      'ExecuteSubmissionAndWait',
      (call, callback) =>
        waiting(
          call,
          callback,
          ({ updateId, offset }) =>
            new ExecuteSubmissionAndWaitResponse({ updateId, completionOffset: `${offset}` }),
        ),
    ),
    GetPreferredPackages: unary(
      host,
      `${SERVICE}/GetPreferredPackages`,
      () => ({}),
      (request: GetPreferredPackagesRequest, { settings }) => {
        if (request.synchronizerId) requireSynchronizer(request.synchronizerId, settings.synchronizerId);
        const packageReferences = request.packageVettingRequirements.map(({ packageName }) => {
          const packageId = knownPackage(packageName) ?? noPreferredPackages(packageName);
          return new PackageReference({ packageId, packageName, packageVersion: '1.0.0' });
        });
        const { synchronizerId } = settings;
        return new GetPreferredPackagesResponse({ packageReferences, synchronizerId });
      },
    ),
  };
}

/** The hash is computed before the audit log and the faults see the call: the content determines it. */
function executing<Response>(
  host: Host,
  name: string,
  callerOf: (call: ServerUnaryCall<ExecuteRequest, Response>, callback: sendUnaryData<Response>) => Caller,
) {
  const method = `${SERVICE}/${name}`;
  const exists = name !== 'ExecuteSubmissionAndWait' || host.settings.generation.executeAndWait;
  return (call: ServerUnaryCall<ExecuteRequest, Response>, callback: sendUnaryData<Response>): void => {
    const arrivedAt = wallMs();
    if (!exists) return void callback(bareFailure(status.UNIMPLEMENTED, `Method not found: ${method}`));
    const caller = callerOf(call, callback);
    try {
      receiveSubmission(host, readExecute(method, call.request, host.settings.generation), caller, arrivedAt);
    } catch (thrown) {
      caller.fail(failureFrom(thrown));
    }
  };
}

function noPreferredPackages(name: string): never {
  return refuse('NO_PREFERRED_PACKAGES_FOUND', `No package of the name ${name} is vetted by all parties`, {
    resources: [['PACKAGE_NAME', name]],
  });
}
