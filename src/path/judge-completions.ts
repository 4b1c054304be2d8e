import { parked, released } from '../core/decide.js';
import { microsOf } from '../core/ids.js';
import { type Finding, lookAt } from '../core/look.js';
import type { CompletionEvent, SynchronizerTime } from '../core/outcome.js';
import { chase } from './chase.js';
import { haltOnBrokenBound } from './halt.js';
import type { Looking, Reading } from './looking.js';
import { verifyAcceptance } from './verify.js';

/** How long a row waits where its acceptance was seen and cannot be read yet. */
const AGAIN_MS = 5_000;

/** What one event says of each row. Deaths are kept until the stream has proven itself; an acceptance needs no proof. */
export async function judge(reading: Reading, event: CompletionEvent, dead: Set<Looking>): Promise<void> {
  const { path, participant, open, close, stop, times } = reading;
  for (const time of timesOf(event))
    if (time.synchronizerId === path.settings.synchronizerId) times.record(time.recordTime);
  for (const row of [...open]) {
    if (row.lease.signal.aborted) {
      open.delete(row);
      continue;
    }
    if (answerMayBePruned(reading, row, event)) {
      await close(
        row,
        'pruned',
        parked('PRUNED: the participant no longer tells of the time this row was accepted in', 'keep'),
      );
      continue;
    }
    const finding = dead.has(row)
      ? null
      : lookAt(event, row.claim.row.txHash, row.claim.record, path.settings.synchronizerId);
    if (finding === null) continue;
    if (finding.kind === 'dead') dead.add(row);
    else if (finding.kind === 'accepted') await accepted(reading, row, finding, timesOf(event)[0] ?? null);
    else {
      const call = AbortSignal.any([stop, row.lease.signal]);
      const end = await chase(path, participant, row.claim, finding.completionOffset, call);
      if (end !== null) await close(row, end.kind === 'completed' ? 'accepted' : 'lost', end);
      else
        await close(
          row,
          'undecided',
          released('keep', AGAIN_MS, 0, 'DUPLICATE_COMMAND: its acceptance is not found yet'),
        );
    }
  }
}

async function accepted(
  { path, participant, close, stop }: Reading,
  row: Looking,
  finding: Extract<Finding, { kind: 'accepted' }>,
  time: SynchronizerTime | null,
): Promise<void> {
  if (finding.ours) await haltOnBrokenBound(path, participant, row.claim.row, row.claim.record, time);
  const verdict = await verifyAcceptance(path, row.claim, finding, AbortSignal.any([stop, row.lease.signal]));
  if (verdict === null)
    await close(
      row,
      'undecided',
      released('keep', AGAIN_MS, 0, 'UNDECIDED: an acceptance was seen, its update cannot be read yet'),
    );
  else await close(row, verdict.kind === 'completed' ? 'accepted' : 'foreign', verdict);
}

/**
 * Dead, and proven so. The record is cleared and the row given back at once: the next claim, this instance's or
 * another's, treats it as fresh, in its lane's order.
 */
export async function bury({ close, open }: Reading, dead: Set<Looking>): Promise<void> {
  for (const row of dead) {
    dead.delete(row);
    if (open.has(row))
      await close(
        row,
        'dead',
        released(
          'clear',
          'now',
          0,
          'DEAD: an earlier submission was never accepted, and its bound has passed',
        ),
      );
  }
}

/** A read that begins at the pruned offset must begin before the row existed, else its answer may be among the pruned. */
function answerMayBePruned(
  { path, verified, unsure }: Reading,
  row: Looking,
  event: CompletionEvent,
): boolean {
  if (!unsure.has(row)) return false;
  const first = timesOf(event).find((time) => time.synchronizerId === path.settings.synchronizerId);
  if (first === undefined) return false;
  unsure.delete(row);
  return first.recordTime >= microsOf(row.claim.row.createdAt - verified.pinned.clockSkewMaxMs);
}

const timesOf = (event: CompletionEvent): readonly SynchronizerTime[] =>
  event.kind === 'checkpoint' ? event.times : event.time === null ? [] : [event.time];
