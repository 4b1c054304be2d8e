import { nextLookMs } from '../core/backoff.js';
import { parked, released } from '../core/decide.js';
import type { Verdict } from '../core/settlement.js';
import { askByHash } from './ask-by-hash.js';
import type { PathContext } from './context.js';
import type { KnownTimes } from './known-times.js';
import type { FoundKind, LookBatch, Looking } from './looking.js';
import type { Participant } from './participant.js';
import { readUntilDecided } from './read-completions.js';

type Conclude = (row: Looking, verdict: Verdict, found: FoundKind) => Promise<void>;

export interface LookDeps {
  readonly participant: Participant;
  readonly times: KnownTimes;
}

/**
 * Rule 4: undecided rows are looked at, and nothing else. It builds nothing and judges nothing, neither configuration
 * nor users nor balance. One stream serves the batch, from before the earliest of them was sent, so that an
 * acceptance and the time that rules one out come from one read (P6).
 */
export async function look(
  path: PathContext,
  { participant, times }: LookDeps,
  batch: LookBatch,
  signal: AbortSignal,
  conclude: Conclude,
): Promise<void> {
  const verified = participant.verified();
  const open = new Set(batch.rows);
  const close = async (row: Looking, found: FoundKind, verdict: Verdict): Promise<void> => {
    if (!open.delete(row)) return;
    const { id, txHash } = row.claim.row;
    path.emit({ kind: 'looked', id, txHash, found, tookMs: path.clock.elapsed() - batch.at });
    await conclude(row, verdict, found);
  };
  if (verified !== null) {
    await Promise.all(
      batch.rows
        .filter((row) => row.claim.record.sentOn !== verified.pinned.sentOn)
        .map((row) => close(row, 'lost', elsewhere(row))),
    );
    const stop = AbortSignal.any([signal, AbortSignal.timeout(verified.patienceMs)]);
    const reading = {
      path,
      participant,
      verified,
      open,
      close,
      stop,
      times,
      useMark: true,
      unsure: new Set<Looking>(),
    };
    if (verified.looksUpHashes) await askByHash(reading);
    await readUntilDecided(reading);
  }
  // Patience over, the stream broke, or the participant is not to be trusted: still undecided, the record stays.
  await Promise.all(
    [...open].map((row) =>
      close(row, 'undecided', later(path, batch, row, verified === null || signal.aborted)),
    ),
  );
}

const elsewhere = ({ claim }: Looking): Verdict =>
  parked(
    `ANOTHER_PARTICIPANT: sent on pinned participant no. ${claim.record.sentOn}, which this one cannot tell of`,
    'keep',
  );

/** Rule 4: again after as long as it is overdue, 5 to 60 s. Only a row that nothing but an acceptance can end counts. */
function later(
  { settings, clock }: PathContext,
  batch: LookBatch,
  { claim }: Looking,
  atOnce: boolean,
): Verdict {
  if (atOnce) return released('keep', 'now', 0, null);
  const { sentUntil } = claim.record;
  if (sentUntil !== null) {
    const now = batch.now + (clock.elapsed() - batch.at);
    return released(
      'keep',
      nextLookMs(now - sentUntil),
      0,
      'UNDECIDED: the ledger has not said yet what became of an earlier submission',
    );
  }
  if (claim.attempts + 1 >= settings.retry.maxAttempts)
    return parked('UNDECIDED: it may commit at any time, and no acceptance has shown', 'keep');
  return {
    kind: 'pending',
    record: 'keep',
    wait: nextLookMs(null),
    attempts: 1,
    lastError: 'UNDECIDED: only an acceptance can end it',
  };
}
