// StateService: the ledger end, and who holds what at an offset.
import {
  ActiveContract,
  type GetActiveContractsRequest,
  GetActiveContractsResponse,
  type GetConnectedSynchronizersRequest,
  GetConnectedSynchronizersResponse,
  GetConnectedSynchronizersResponseConnectedSynchronizer,
  GetLatestPrunedOffsetsResponse,
  GetLedgerEndResponse,
  ParticipantPermission,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import { stakeholders } from '../daml/contracts.js';
import type { Host } from '../host.js';
import type { Participant } from '../model/participant.js';
import type { Contract } from '../model/records.js';
import { createdEvent } from './encode-events.js';
import { EventFilter } from './event-filter.js';
import { check, partyString } from './fields.js';
import { type Source, stream, unary } from './gate.js';
import { readOffset } from './offsets.js';

export function stateService(host: Host) {
  const nothing = () => ({});
  return {
    GetLedgerEnd: unary(host, 'StateService/GetLedgerEnd', nothing, (_request, { state }) => {
      return new GetLedgerEndResponse({ offset: `${state.end}` });
    }),
    GetLatestPrunedOffsets: unary(
      host,
      'StateService/GetLatestPrunedOffsets',
      nothing,
      (_request, { state }) => {
        return new GetLatestPrunedOffsetsResponse({ participantPrunedUpToInclusive: `${state.prunedUpTo}` });
      },
    ),
    GetConnectedSynchronizers: unary(
      host,
      'StateService/GetConnectedSynchronizers',
      nothing,
      (request: GetConnectedSynchronizersRequest, it) => {
        const { party } = request;
        if (party !== '') check('party', party, partyString);
        // Of a party that no synchronizer knows there is none: no error.
        if (party !== '' && !it.state.hasParty(party)) return new GetConnectedSynchronizersResponse();
        const connected = new GetConnectedSynchronizersResponseConnectedSynchronizer({
          synchronizerAlias: 'global',
          synchronizerId: it.settings.synchronizerId,
          // Only of a party; an external one lets this participant confirm, and submits by its own key.
          permission:
            party === ''
              ? ParticipantPermission.PARTICIPANT_PERMISSION_UNSPECIFIED
              : it.state.keyOf(party)
                ? ParticipantPermission.PARTICIPANT_PERMISSION_CONFIRMATION
                : ParticipantPermission.PARTICIPANT_PERMISSION_SUBMISSION,
        });
        return new GetConnectedSynchronizersResponse({ connectedSynchronizers: [connected] });
      },
    ),
    GetActiveContracts: stream(
      host,
      'StateService/GetActiveContracts',
      (request: GetActiveContractsRequest) => ({
        parties: [...(request.eventFormat?.filtersByParty.keys() ?? [])],
        anyParty: request.eventFormat?.filtersForAnyParty !== undefined,
      }),
      activeContracts,
    ),
  };
}

function activeContracts(
  request: GetActiveContractsRequest,
  participant: Participant,
): Source<GetActiveContractsResponse> {
  const { state, settings } = participant;
  const offset = readOffset(request.activeAtOffset, 'active_at_offset', state);
  const filter = new EventFilter(request.eventFormat);
  // Taken at once: what is active at the offset must not change while the caller reads.
  const contracts = new Set<Contract>();
  for (const [party, kinds] of filter.scopes(state.parties())) {
    for (const kind of kinds) {
      for (const contract of state.contracts.activeAt(party, kind, offset)) contracts.add(contract);
    }
  }
  const remaining = contracts.values();
  const next = () => {
    for (let step = remaining.next(); !step.done; step = remaining.next()) {
      const contract = step.value;
      const wanted = filter.match(contract.payload.kind, stakeholders(contract.payload));
      if (!wanted) continue;
      const activeContract = new ActiveContract({
        createdEvent: createdEvent(contract, wanted, filter.verbose),
        synchronizerId: settings.synchronizerId,
      });
      return new GetActiveContractsResponse({ activeContract });
    }
    return 'end' as const;
  };
  return { next };
}
