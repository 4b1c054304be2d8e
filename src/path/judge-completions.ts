import { microsOf } from '../core/ids.js';
import { afterDeath } from '../protocol/decide.js';
import { type Finding, lookAt } from '../protocol/look.js';
import type { CompletionEvent, SynchronizerTime } from '../protocol/outcome.js';
import { lookedInVain, parkUndecided, undecided } from '../protocol/verdict.js';
import { limited } from '../runtime/limit.js';
import { chase } from './chase.js';
import { haltOnBrokenBound } from './halt.js';
import type { Dead, Looking, Reading } from './looking.js';
import { verifyAcceptance } from './verify.js';

/** How long a row waits where its acceptance is known of, and cannot be found or read yet. */
const AGAIN_MS = 5_000;

/** What one event says of each row. Deaths are kept until the stream has proven itself; an acceptance needs no proof. */
export async function judge(reading: Reading, event: CompletionEvent, dead: Dead): Promise<void> {
  const { path, participant, open, close, stop, times } = reading;
  tellCost(reading, event);
  for (const time of timesOf(event))
    if (time.synchronizerId === path.settings.synchronizerId) times.record(time.recordTime);
  for (const row of [...open]) {
    if (row.lease.signal.aborted) {
      // Somebody else's by now; said all the same, so that nobody counts it as ours.
      await close(row, 'undecided', undecided('now', null));
      continue;
    }
    if (answerMayBePruned(reading, row, event)) {
      await close(
        row,
        'pruned',
        parkUndecided('PRUNED: the participant no longer tells of the time this row was accepted in'),
      );
      continue;
    }
    // Of a row that looks dead too, while the stream has yet to prove itself: its acceptance, past a bound that was none,
    // says more than the bound, and halts.
    const finding = lookAt(event, row.claim.row.txHash, row.claim.record, path.settings.synchronizerId);
    if (finding === null) continue;
    if (finding.kind === 'dead') dead.set(row, dead.get(row) ?? finding.refusal);
    else if (finding.kind === 'accepted') await accepted(reading, row, finding, timesOf(event)[0] ?? null);
    else {
      const end = await limited([stop, row.lease.signal], null, (call) =>
        chase(path, participant, row.claim, finding.completionOffset, call),
      );
      if (end !== null) await close(row, end.kind === 'completed' ? 'accepted' : 'lost', end);
      else
        await close(
          row,
          'undecided',
          undecided(AGAIN_MS, 'DUPLICATE_COMMAND: its acceptance is not found yet'),
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
  if (finding.ours) haltOnBrokenBound(path, participant, row.claim.row, row.claim.record, time);
  const verdict = await limited([stop, row.lease.signal], null, (call) =>
    verifyAcceptance(path, row.claim, finding, call),
  );
  if (verdict === 'unread') {
    const why = 'UNDECIDED: an acceptance was seen, and its update cannot be read';
    await close(row, 'undecided', undecided(stop.aborted ? 'now' : AGAIN_MS, why));
  } else if (verdict === 'absent') await close(row, 'undecided', notShown(path, row));
  else await close(row, verdict.kind === 'completed' ? 'accepted' : 'foreign', verdict);
}

/** It counts, so that at last a person looks at it. */
const notShown = ({ settings }: Reading['path'], { claim }: Looking) =>
  lookedInVain("UNDECIDED: an acceptance was seen, and its update is not shown to its sender's party", {
    attempts: claim.attempts,
    policy: settings.retry,
  });

/**
 * Dead, and proven so. The record is cleared and the row given back at once: the next claim, this instance's or
 * another's, treats it as fresh, in its lane's order. Where that was its last attempt, it waits for a person.
 */
export async function bury({ path, close, open }: Reading, dead: Dead): Promise<void> {
  const rows = [...dead].filter(([row]) => open.has(row));
  dead.clear();
  const { settings, random } = path;
  const { retry: policy, probeMs } = settings;
  // All at once: one statement settles them, and their slots come free together.
  await Promise.all(
    rows.map(([row, refusal]) => {
      const { attempts } = row.claim;
      return close(row, 'dead', afterDeath(refusal, { attempts, policy, random, probeMs }));
    }),
  );
}

/** Of the rows that are looked at: what else the stream shows is somebody's whose answer came. */
function tellCost({ path, open }: Reading, event: CompletionEvent): void {
  if (event.kind === 'checkpoint' || event.paidTraffic === null) return;
  for (const { claim } of open)
    if (claim.row.txHash === event.commandId)
      path.emit({ kind: 'traffic', paid: event.paidTraffic, accepted: event.kind === 'accepted' });
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
