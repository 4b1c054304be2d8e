// The participant's ledger: its end, what was pruned, and the synchronizers it is connected to.
import {
  GetConnectedSynchronizersRequest,
  GetLatestPrunedOffsetsRequest,
  GetLedgerEndRequest,
  UnimplementedStateServiceService,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import type { Offset } from '../core/ids.js';
import { type CallOptions, localFailure, type Read } from '../ports/ledger.js';
import { readFailure, unary, unreadable, type Wire } from './call.js';
import { offsetOf } from './values.js';

const { GetLedgerEnd, GetLatestPrunedOffsets, GetConnectedSynchronizers } =
  UnimplementedStateServiceService.definition;

export async function ledgerEnd(wire: Wire, options: CallOptions): Promise<Read<Offset>> {
  const called = await unary(wire, GetLedgerEnd, new GetLedgerEndRequest(), options);
  if (called.kind !== 'answer') return readFailure(called);
  const end = offsetRead(called.value.offset);
  return end.kind === 'read' && end.value === 0n ? EMPTY : end;
}

/** Whoever read at offset 0 would find that nobody owns anything. */
const EMPTY = localFailure(
  'LEDGER_EMPTY',
  'its ledger is empty: it has not loaded it yet, or it is a new participant',
  true,
);

export async function prunedUpTo(wire: Wire, options: CallOptions): Promise<Read<Offset>> {
  const called = await unary(wire, GetLatestPrunedOffsets, new GetLatestPrunedOffsetsRequest(), options);
  return called.kind === 'answer'
    ? offsetRead(called.value.participantPrunedUpToInclusive)
    : readFailure(called);
}

function offsetRead(text: string): Read<Offset> {
  const value = offsetOf(text);
  return value === null ? unreadable(`an offset of ${JSON.stringify(text)}`) : { kind: 'read', value };
}

export interface ConnectedSynchronizer {
  /** Logical: `name::1220…`. */
  readonly id: string;
  readonly alias: string;
}

/**
 * The synchronizers the participant is connected to now or, with a party, those of them where it hosts that party.
 * Empty for an unknown party.
 */
export async function connectedSynchronizers(
  wire: Wire,
  party: string | null,
  options: CallOptions,
): Promise<Read<readonly ConnectedSynchronizer[]>> {
  const request = new GetConnectedSynchronizersRequest({ party: party ?? '' });
  const called = await unary(wire, GetConnectedSynchronizers, request, options);
  if (called.kind !== 'answer') return readFailure(called);
  return {
    kind: 'read',
    value: called.value.connectedSynchronizers.map(({ synchronizerId: id, synchronizerAlias: alias }) => ({
      id,
      alias,
    })),
  };
}
