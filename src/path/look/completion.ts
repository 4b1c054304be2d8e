import { type DbMillis, microsOf } from '../../core/ids.js';
import { afterDeath } from '../../protocol/decide.js';
import { type Conclusion, lookAt } from '../../protocol/look.js';
import type { CompletionEvent, Refusal, SynchronizerTime } from '../../protocol/outcome.js';
import type { Mark } from '../../protocol/proof.js';
import type { UndecidedClaim } from '../../protocol/record.js';
import { lookedInVain, parkUndecided, undecided, type Verdict } from '../../protocol/verdict.js';
import { limited } from '../../runtime/limit.js';
import { type Lease, type Path, triesOf } from '../given/context.js';
import type { Verified } from '../given/participant.js';
import { chase, verifyAcceptance } from './acceptance.js';

/** An undecided row in this process's hands. */
export interface Looking {
  readonly claim: UndecidedClaim;
  readonly lease: Lease;
}

/** What a look finds out about a row. */
export type FoundKind = 'accepted' | 'dead' | 'undecided' | 'foreign' | 'lost' | 'pruned';

/** Rows that will never be accepted, once the stream has proven itself; and what their submission was refused with. */
export type Dead = Map<Looking, Refusal | null>;

/** One read of the completion stream, for several rows. */
export interface Reading {
  readonly path: Path;
  readonly verified: Verified;
  readonly open: Set<Looking>;
  readonly close: (row: Looking, found: FoundKind, verdict: Verdict) => Promise<void>;
  readonly stop: AbortSignal;
  /** What may prove the participant, the first one first; if none is left, the participant id has to. */
  readonly marks: readonly Mark[];
  /** Whose completions; null: our own user's. Another user's stream shows none of our marks. */
  readonly userId: string | null;
  /** Rows read from the pruned offset on: the first time in the stream must be before they existed. */
  readonly unsure: Set<Looking>;
  /** The database's time when the rows were claimed. */
  readonly claimedAt: DbMillis;
  /** By party: why its completions cannot be read, for people. */
  readonly trouble: Map<string, string>;
}

/** How long a row waits whose acceptance is known to exist but cannot be found or read yet. */
const AGAIN_MS = 5_000;

/** What one event says about each row. Deaths are kept until the stream has proven itself; an acceptance needs no proof. */
export async function applyCompletion(reading: Reading, event: CompletionEvent, dead: Dead): Promise<void> {
  const { path, open, close } = reading;
  tellCost(reading, event);
  for (const time of timesOf(event))
    if (time.synchronizerId === path.settings.synchronizerId) path.clocks.sawRecordTime(time.recordTime);
  for (const row of [...open]) {
    if (row.lease.signal.aborted) {
      // Another claim has it by now; closed all the same, so that nobody counts it as ours.
      await close(row, 'undecided', undecided('now', null));
      continue;
    }
    if (answerMayBePruned(reading, row, event)) {
      const why = 'PRUNED: the participant has pruned the time in which this row may have been accepted';
      await close(row, 'pruned', parkUndecided(why));
      continue;
    }
    // A row found dead is judged on while the stream has yet to prove itself: its acceptance, past a bound that did not
    // hold, outweighs the bound, and halts.
    const conclusion = lookAt(event, row.claim.row.txHash, row.claim.record, path.settings.synchronizerId);
    if (conclusion === null) continue;
    if (conclusion.kind === 'dead') dead.set(row, dead.get(row) ?? conclusion.refusal);
    else if (conclusion.kind === 'accepted')
      await accepted(reading, row, conclusion, timesOf(event)[0] ?? null);
    else await duplicate(reading, row, conclusion);
  }
}

async function accepted(
  { path, close, stop }: Reading,
  row: Looking,
  conclusion: Extract<Conclusion, { kind: 'accepted' }>,
  time: SynchronizerTime | null,
): Promise<void> {
  const { claim, lease } = row;
  if (conclusion.ours) path.participant.checkBound(claim.row.txHash, claim.record, time);
  const verdict = await limited([stop, lease.signal], null, (call) =>
    verifyAcceptance(path, claim, conclusion, call),
  );
  if (verdict === 'unread') {
    const why = 'UNDECIDED: an acceptance was seen, but its update cannot be read yet';
    await close(row, 'undecided', undecided(stop.aborted ? 'now' : AGAIN_MS, why));
  } else if (verdict === 'absent') await close(row, 'undecided', notShown(path, row));
  else await close(row, verdict.kind === 'completed' ? 'accepted' : 'foreign', verdict);
}

/** It counts, so that at last a person looks at it. */
const notShown = (path: Path, { claim }: Looking): Verdict =>
  lookedInVain(
    "UNDECIDED: an acceptance was seen, but its update is not shown to the sender's party",
    triesOf(path, claim),
  );

async function duplicate(
  { path, close, stop }: Reading,
  row: Looking,
  conclusion: Extract<Conclusion, { kind: 'duplicate' }>,
): Promise<void> {
  const end = await limited([stop, row.lease.signal], null, (call) =>
    chase(path, row.claim, conclusion.completionOffset, call),
  );
  if (end !== null) return close(row, end.kind === 'completed' ? 'accepted' : 'lost', end);
  return close(
    row,
    'undecided',
    undecided(AGAIN_MS, 'DUPLICATE_COMMAND: its acceptance has not been found yet'),
  );
}

/**
 * These rows are proven dead. The record is cleared and the row given back at once: the next claim, by this instance or
 * another, treats it as fresh, in its lane's order. Where that was its last attempt, it waits for a person.
 */
export async function closeDead({ path, close, open }: Reading, dead: Dead): Promise<void> {
  const rows = [...dead].filter(([row]) => open.has(row));
  dead.clear();
  const { probeMs } = path.settings;
  // All at once, so that one statement settles them and their slots come free together.
  await Promise.all(
    rows.map(([row, refusal]) =>
      close(row, 'dead', afterDeath(refusal, { ...triesOf(path, row.claim), probeMs })),
    ),
  );
}

/** Only for the rows that are looked at: the sender of any other completion already has its answer. */
function tellCost({ path, open }: Reading, event: CompletionEvent): void {
  if (event.kind === 'checkpoint' || event.paidTraffic === null) return;
  for (const { claim } of open)
    if (claim.row.txHash === event.commandId)
      path.emit({
        kind: 'traffic',
        paid: event.paidTraffic,
        accepted: event.kind === 'accepted',
        txHash: claim.row.txHash,
      });
}

/**
 * A read that begins at the pruned offset must begin before the row existed, or its answer may have been pruned. A creation
 * that is yet to come tells nothing of when the row came to be.
 */
function answerMayBePruned(
  { path, verified, unsure, claimedAt }: Reading,
  row: Looking,
  event: CompletionEvent,
): boolean {
  if (!unsure.has(row)) return false;
  const first = timesOf(event).find((time) => time.synchronizerId === path.settings.synchronizerId);
  if (first === undefined) return false;
  unsure.delete(row);
  const { createdAt } = row.claim.row;
  const { clockSkewMaxMs } = verified.pinned;
  return createdAt > claimedAt + clockSkewMaxMs || first.recordTime >= microsOf(createdAt - clockSkewMaxMs);
}

const timesOf = (event: CompletionEvent): readonly SynchronizerTime[] =>
  event.kind === 'checkpoint' ? event.times : event.time === null ? [] : [event.time];
