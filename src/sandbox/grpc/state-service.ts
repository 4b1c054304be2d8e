// StateService: the ledger end, and who holds what at an offset.

import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import { AssignedEvent, UnassignedEvent } from '#proto/com/daml/ledger/api/v2/reassignment.js';
import {
  ActiveContract,
  type GetActiveContractsRequest,
  GetActiveContractsResponse,
  type GetConnectedSynchronizersRequest,
  GetConnectedSynchronizersResponse,
  GetConnectedSynchronizersResponseConnectedSynchronizer,
  GetLatestPrunedOffsetsResponse,
  GetLedgerEndResponse,
  IncompleteAssigned,
  IncompleteUnassigned,
  ParticipantPermission,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import { stakeholders } from '../daml/contracts.js';
import type { FaultAction } from '../fault-schema.js';
import { find } from '../faults.js';
import { type Host, OTHER_SYNCHRONIZER } from '../host.js';
import type { Participant, ParticipantSettings } from '../model/participant.js';
import { type Contract, type Place, placeOf } from '../model/records.js';
import { createdEvent, eventEncoder } from './encode-events.js';
import { EventFilter } from './event-filter.js';
import { check, partyString } from './fields.js';
import { type Source, stream, unary } from './gate.js';
import { readOffset } from './offsets.js';

export function stateService(host: Host) {
  const nothing = () => ({});
  return {
    GetLedgerEnd: unary(host, 'StateService/GetLedgerEnd', nothing, (_request, { state }, actions) => {
      return new GetLedgerEndResponse({ offset: `${find(actions, 'tellsEnd')?.offset ?? state.end}` });
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
      (request: GetConnectedSynchronizersRequest, it, actions) => {
        const { party } = request;
        if (party !== '') check('party', party, partyString);
        // For a party that no synchronizer knows the list is empty, which is not an error; nor is it while none is connected.
        const isUnknown = party !== '' && !it.state.hasParty(party);
        if (isUnknown || find(actions, 'tellsNoSynchronizer') !== undefined)
          return new GetConnectedSynchronizersResponse();
        const connected = (synchronizerAlias: string, synchronizerId: string) =>
          new GetConnectedSynchronizersResponseConnectedSynchronizer({
            synchronizerAlias,
            synchronizerId,
            // Only given for a party. An external one lets this participant confirm, and submits with its own key.
            permission:
              party === ''
                ? ParticipantPermission.PARTICIPANT_PERMISSION_UNSPECIFIED
                : it.state.keyOf(party)
                  ? ParticipantPermission.PARTICIPANT_PERMISSION_CONFIRMATION
                  : ParticipantPermission.PARTICIPANT_PERMISSION_SUBMISSION,
          });
        const others = it.state.reassigns ? [connected('other', OTHER_SYNCHRONIZER)] : [];
        return new GetConnectedSynchronizersResponse({
          connectedSynchronizers: [connected('global', it.settings.synchronizerId), ...others],
        });
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
  _wake: () => void,
  actions: readonly FaultAction[],
): Source<GetActiveContractsResponse> {
  const { state, settings } = participant;
  const failing = find(actions, 'viewFails');
  const viewFails = (id: string) => failing !== undefined && (failing.contractIds?.includes(id) ?? true);
  const offset = readOffset(request.activeAtOffset, 'active_at_offset', state);
  const filter = new EventFilter(request.eventFormat);
  const encoder = eventEncoder(filter.verbose, settings.generation);
  // Captured at once: what is active at the offset must not change while the caller reads.
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
      const event = createdEvent(contract, wanted, encoder, viewFails);
      const entry = entryOf(event, placeOf(contract, offset), settings);
      if (entry) return entry;
    }
    return 'end' as const;
  };
  return { next };
}

/** Undefined if a participant of this version does not say. */
function entryOf(
  createdEvent: CreatedEvent,
  place: Place,
  { synchronizerId, generation }: ParticipantSettings,
): GetActiveContractsResponse | undefined {
  const { contractId, packageName, witnessParties } = createdEvent;
  const move = {
    source: synchronizerId,
    target: OTHER_SYNCHRONIZER,
    reassignmentId: `00${contractId.slice(2, 66)}`,
  };
  switch (place) {
    case 'here':
    case 'away': {
      const at = place === 'here' ? synchronizerId : OTHER_SYNCHRONIZER;
      return new GetActiveContractsResponse({
        activeContract: new ActiveContract({ createdEvent, synchronizerId: at }),
      });
    }
    case 'unassigned': {
      if (!generation.tellsReassignments) return undefined;
      const left = { ...move, contractId, packageName, witnessParties, reassignmentCounter: '1' };
      const unassignedEvent = new UnassignedEvent(left);
      if (createdEvent.templateId) unassignedEvent.templateId = createdEvent.templateId;
      return new GetActiveContractsResponse({
        incompleteUnassigned: new IncompleteUnassigned({ createdEvent, unassignedEvent }),
      });
    }
    case 'assigned': {
      if (!generation.tellsReassignments) return undefined;
      const assignedEvent = new AssignedEvent({ ...move, reassignmentCounter: '1', createdEvent });
      return new GetActiveContractsResponse({
        incompleteAssigned: new IncompleteAssigned({ assignedEvent }),
      });
    }
  }
}
