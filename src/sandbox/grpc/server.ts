// The Ledger API as one gRPC server. Anything not registered here is answered with UNIMPLEMENTED.
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { UnimplementedPartyManagementServiceService as PartyManagement } from '#proto/com/daml/ledger/api/v2/admin/party_management_service.js';
import { UnimplementedUserManagementServiceService as UserManagement } from '#proto/com/daml/ledger/api/v2/admin/user_management_service.js';
import { UnimplementedCommandCompletionServiceService as Completion } from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import { UnimplementedCommandServiceService as Command } from '#proto/com/daml/ledger/api/v2/command_service.js';
import { UnimplementedInteractiveSubmissionServiceService as Interactive } from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { UnimplementedStateServiceService as State } from '#proto/com/daml/ledger/api/v2/state_service.js';
import { UnimplementedUpdateServiceService as Update } from '#proto/com/daml/ledger/api/v2/update_service.js';
import { UnimplementedVersionServiceService as Version } from '#proto/com/daml/ledger/api/v2/version_service.js';
import { UnimplementedHealthService as Health } from '#proto/grpc/health/v1/health.js';
import type { Host } from '../host.js';
import { commandService } from './command-service.js';
import { completionService } from './completion-service.js';
import { interactiveService } from './interactive-service.js';
import { healthService, partyManagementService, versionService } from './node-services.js';
import { stateService } from './state-service.js';
import { updateService } from './update-service.js';
import { userManagementService } from './user-service.js';

export function ledgerApi(host: Host): Server {
  const server = new Server({ 'grpc.max_receive_message_length': host.settings.maxRequestBytes });
  const add = (service: { definition: ServiceDefinition }, implementation: UntypedServiceImplementation) =>
    server.addService(service.definition, implementation);
  add(Command, commandService(host));
  add(Completion, completionService(host));
  add(Interactive, interactiveService(host));
  add(State, stateService(host));
  add(Update, updateService(host));
  add(Version, versionService(host));
  add(PartyManagement, partyManagementService(host));
  add(UserManagement, userManagementService(host));
  add(Health, healthService(host));
  return server;
}
