// Who the participant is, and what it runs.
import {
  GetParticipantIdRequest,
  UnimplementedPartyManagementServiceService,
} from '#proto/com/daml/ledger/api/v2/admin/party_management_service.js';
import {
  GetLedgerApiVersionRequest,
  UnimplementedVersionServiceService,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { readFailure, unary, unreadable, type Wire } from './call.js';

const { GetParticipantId } = UnimplementedPartyManagementServiceService.definition;
const { GetLedgerApiVersion } = UnimplementedVersionServiceService.definition;

/** Before 3.6 only a participant administrator's token may ask: PERMISSION_DENIED is to be expected. */
export async function participantId(wire: Wire, options: CallOptions): Promise<Read<string>> {
  const called = await unary(wire, GetParticipantId, new GetParticipantIdRequest(), options);
  if (called.kind !== 'answer') return readFailure(called);
  const value = called.value.participantId;
  return value === '' ? unreadable('a participant without an id') : { kind: 'read', value };
}

export async function version(
  wire: Wire,
  options: CallOptions,
): Promise<Read<{ readonly version: string; readonly checkpointDelayMs: number | null }>> {
  const called = await unary(wire, GetLedgerApiVersion, new GetLedgerApiVersionRequest(), options);
  if (called.kind !== 'answer') return readFailure(called);
  const delay = called.value.features?.offsetCheckpoint?.maxOffsetCheckpointEmissionDelay;
  const checkpointDelayMs = delay === undefined ? null : delay.seconds * 1000 + Math.ceil(delay.nanos / 1e6);
  return { kind: 'read', value: { version: called.value.version, checkpointDelayMs } };
}
