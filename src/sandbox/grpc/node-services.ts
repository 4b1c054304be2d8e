// What a participant says about itself: version, identity, health.
import { status } from '@grpc/grpc-js';
import { GetParticipantIdResponse } from '#proto/com/daml/ledger/api/v2/admin/party_management_service.js';
import {
  FeaturesDescriptor,
  GetLedgerApiVersionResponse,
  OffsetCheckpointFeature,
  PartyManagementFeature,
  UserManagementFeature,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import {
  type HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponseServingStatus as ServingStatus,
} from '#proto/grpc/health/v1/health.js';
import { refuse } from '../errors.js';
import type { Host } from '../host.js';
import { BareRefusal, type Source, stream, unary } from './gate.js';
import { durationOf } from './status.js';

const noFacts = () => ({});

export function versionService(host: Host) {
  const { apiVersion, checkpointMs, idleCheckpointMs } = host.settings;
  return {
    GetLedgerApiVersion: unary(host, 'VersionService/GetLedgerApiVersion', noFacts, () => {
      const features = new FeaturesDescriptor({
        userManagement: new UserManagementFeature({
          supported: true,
          maxRightsPerUser: 1000,
          maxUsersPageSize: 1000,
        }),
        partyManagement: new PartyManagementFeature({ maxPartiesPageSize: 10_000 }),
        offsetCheckpoint: new OffsetCheckpointFeature({
          maxOffsetCheckpointEmissionDelay: durationOf(checkpointMs + idleCheckpointMs),
        }),
      });
      return new GetLedgerApiVersionResponse({ version: apiVersion, features });
    }),
  };
}

export function partyManagementService(host: Host) {
  const { generation, administrator } = host.settings;
  return {
    GetParticipantId: unary(
      host,
      'PartyManagementService/GetParticipantId',
      noFacts,
      (_request, { settings }) => {
        const mayAsk = generation.openParticipantId || host.token === null || administrator;
        if (!mayAsk) refuse('PERMISSION_DENIED', 'only a participant administrator may ask');
        return new GetParticipantIdResponse({ participantId: settings.participantId });
      },
    ),
  };
}

const components = new Set(['', 'com.daml.ledger.api.v2.CommandService', 'ledger-api', 'liveness']);

/** Callable without a token, as probes do. */
export function healthService(host: Host) {
  const facts = () => ({ openToAll: true as const });
  const serving = new HealthCheckResponse({ status: ServingStatus.SERVING });
  return {
    Check: unary(host, 'Health/Check', facts, (request: HealthCheckRequest) => {
      if (components.has(request.service)) return serving;
      throw new BareRefusal(status.NOT_FOUND, `Health check for service ${request.service} not found`);
    }),
    Watch: stream(host, 'Health/Watch', facts, (request: HealthCheckRequest): Source<HealthCheckResponse> => {
      const known = components.has(request.service);
      const messages = [known ? serving : new HealthCheckResponse({ status: ServingStatus.SERVICE_UNKNOWN })];
      return { next: () => messages.pop() ?? 'wait' };
    }),
  };
}
