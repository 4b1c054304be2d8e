// LANES=holdings (I6): what the undecided rows of a party spend is reserved in the database with their records. A row that
// begins reads what is reserved, chooses among the rest, and reserves its own with its record; or it waits in its place.
import type { Party } from '../core/ids.js';
import { hostedBound } from '../protocol/bound.js';
import { type Reservation, reservedBy } from '../protocol/lanes.js';
import type { SubmissionRecord } from '../protocol/record.js';
import { givenBack } from '../protocol/verdict.js';
import { databaseTime, type JudgedSubmission, type Path, type Step, stop } from './given/context.js';

/**
 * To be asked before the ledger end: what is spent by then is still reserved, or no longer a holding. The other way round, a
 * holding that was spent in between would look free.
 */
export const reservationsOf = async (path: Path, party: Party): Promise<readonly Reservation[]> =>
  path.settings.lanes === 'holdings' ? await path.store.reserved(party) : [];

/**
 * Too little is free: the row keeps its place, and its attempt does not count. It is claimed again as soon as one of those
 * that have reserved what it needs is decided; or after the longest backoff, since money may also come from elsewhere.
 */
export async function waitForHoldings(
  path: Path,
  { claim, row }: JudgedSubmission,
  reservations: readonly Reservation[],
  { contractIds, detail }: { readonly contractIds: readonly string[]; readonly detail: string },
): Promise<Step<never>> {
  await path.store.awaitRows(claim, reservedBy(reservations, contractIds), path.settings.retry.maxMs);
  return stop(givenBack(`RESERVED: ${row.token.symbol}: ${detail}`));
}

/**
 * What the claim writes for a hosted sender otherwise; it comes with what is spent. Null: the participant is not verified.
 */
export function hostedRecord(path: Path, submission: JudgedSubmission): SubmissionRecord | null {
  const verified = path.participant.verified();
  if (verified === null) return null;
  return {
    sentFrom: path.participant.sentFrom(),
    sentUntil: hostedBound(databaseTime(path, submission), path.settings),
    submissionId: submission.claim.token,
    party: submission.sender,
    sentOn: verified.pinned.sentOn,
    hash: null,
  };
}

/** Rule 1, and the reservation in the same statement. Then the sender's next row may begin. */
export async function reserve(
  path: Path,
  { claim }: JudgedSubmission,
  record: SubmissionRecord,
  inputs: readonly string[],
  generation: bigint,
): Promise<'written' | 'fenced' | 'stale' | Step<never>> {
  const reserved = await path.store.reserve(claim, record, inputs, generation);
  switch (reserved.kind) {
    case 'written':
      if (reserved.laneWaits) path.wakeups.signal('lane');
      return 'written';
    case 'reserved':
      return stop(
        givenBack('RESERVED: another transfer of this party has reserved these holdings meanwhile'),
      );
    case 'earlier':
      return stop(givenBack('NOT_ITS_TURN: an earlier transfer of this sender begins first'));
    default:
      return reserved.kind;
  }
}
