// What is signed along with the transaction, and the one thing that V2 does not sign: its bound.

import type { Micros } from '../../core/ids.js';
import type { Metadata } from '../prepared/transaction.js';

export interface ExpectedMetadata {
  readonly sender: string;
  readonly commandId: string;
  readonly synchronizerId: string;
  readonly askedMaxRecordTime: Micros;
  /** Its choice reads the ledger's time (our own token's does), so the ledger time is fixed. */
  readonly readsTime: boolean;
}

/** How far the participant's clock may differ from the database's, which the bound is based on. */
const CLOCKS_APART = 60_000_000n;

/** `clocks-apart`: nothing points to a dishonest participant, only to a clock that is not set. */
export interface MetadataFault {
  readonly kind: 'tampered' | 'clocks-apart';
  readonly reason: string;
}

export function metadataFault(metadata: Metadata, expected: ExpectedMetadata): MetadataFault | null {
  const wrong = submissionFault(metadata, expected);
  if (wrong !== null) return { kind: 'tampered', reason: wrong };
  const ahead = metadata.preparationTime - latestOf(expected);
  if (ahead > 0n) return { kind: 'clocks-apart', reason: clocksApart(metadata, expected) };
  const untimely = timeFault(metadata, expected);
  return untimely === null ? null : { kind: 'tampered', reason: untimely };
}

const latestOf = ({ askedMaxRecordTime }: ExpectedMetadata): Micros => askedMaxRecordTime + CLOCKS_APART;

/** The participant writes its clock into what it prepares; one that runs ahead says so in every row. */
const clocksApart = ({ preparationTime }: Metadata, { askedMaxRecordTime }: ExpectedMetadata): string =>
  `the participant prepared this ${(preparationTime - askedMaxRecordTime) / 1_000_000n} s after the bound that the database's clock gave it: set both clocks by NTP`;

function submissionFault(metadata: Metadata, expected: ExpectedMetadata): string | null {
  const { actAs = [], commandId } = metadata.submitterInfo ?? {};
  if (actAs.length !== 1 || actAs[0] !== expected.sender) return `act_as: ${actAs.join(', ') || 'nobody'}`;
  // The change id depends on it: under another command id a second submission would not be a duplicate (I4).
  if (commandId !== expected.commandId) return `command_id: ${commandId}`;
  if (!isSynchronizer(metadata.synchronizerId, expected.synchronizerId)) {
    return `synchronizer: ${metadata.synchronizerId}`;
  }
  return boundFault(metadata, expected.askedMaxRecordTime);
}

/** From protocol version 35 on it is the physical id: the logical one, followed by the version. */
const isSynchronizer = (id: string, ours: string): boolean => id === ours || id.startsWith(`${ours}::`);

/**
 * Without a bound, or with one later than asked for, the record would call a submission dead that can still commit
 * (rule 2).
 */
function boundFault({ maxRecordTime }: Metadata, asked: Micros): string | null {
  if (maxRecordTime === undefined) return 'max_record_time: absent';
  if (maxRecordTime <= 0n) return `max_record_time: ${maxRecordTime}`;
  return maxRecordTime > asked ? `max_record_time: ${maxRecordTime}, where ${asked} was asked for` : null;
}

/**
 * These times are signed, and the ledger accepts a transaction only near them. So if a dishonest participant drops
 * the bound, its signature is good for no longer than this.
 */
function timeFault(metadata: Metadata, expected: ExpectedMetadata): string | null {
  const { minLedgerEffectiveTime: min, maxLedgerEffectiveTime: max } = metadata;
  const latest = latestOf(expected);
  if (min !== undefined && min > latest)
    return `ledger_effective_time: not before ${min}, far after the bound`;
  if (min !== undefined && max !== undefined && min > max) return `ledger_effective_time: ${min} to ${max}`;
  if (!expected.readsTime) return null;
  if (max === undefined) return 'ledger_effective_time: it has no end';
  return max > latest ? `ledger_effective_time: until ${max}, far after the bound` : null;
}
