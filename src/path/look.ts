import { nextLookMs } from '../protocol/backoff.js';
import { marksOf } from '../protocol/proof.js';
import { lookedInVain, parkUndecided, undecided, type Verdict } from '../protocol/verdict.js';
import { limited } from '../runtime/limit.js';
import { askByHash } from './ask-by-hash.js';
import type { PathContext } from './context.js';
import type { KnownTimes } from './known-times.js';
import type { FoundKind, LookBatch, Looking, Reading } from './looking.js';
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
  const trouble = new Map<string, string>();
  /** Whether the ledger told of these rows until our patience was over. */
  let readOn = false;
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
    const read = async (stop: AbortSignal): Promise<void> => {
      const common = { path, participant, verified, close, stop, times, userId: null };
      const marks = marksOf(verified.pinned);
      const reading: Reading = { ...common, open, unsure: new Set(), trouble, marks };
      if (verified.looksUpHashes) await askByHash(reading);
      await readAll(reading);
      readOn = stop.aborted && !signal.aborted;
    };
    // A fault of ours leaves its rows as they are, and gives them back.
    await limited([signal], verified.patienceMs, read).catch((error: unknown) =>
      path.emit({ kind: 'fault', where: 'look', error }),
    );
  }
  // Patience over, the stream broke, or the participant is not to be trusted: still undecided, the record stays.
  await Promise.all(
    [...open].map((row) =>
      close(
        row,
        'undecided',
        later(path, batch, row, {
          atOnce: verified === null || signal.aborted,
          readOn,
          why: trouble.get(row.claim.record.party) ?? null,
        }),
      ),
    ),
  );
}

/** A stream for the rows that are our own, and one for each user who may have sent others; none waits for another. */
async function readAll(reading: Reading): Promise<void> {
  const byUser = new Map<string | null, Looking[]>();
  for (const row of reading.open) {
    const { sentBy } = row.claim;
    byUser.set(sentBy, [...(byUser.get(sentBy) ?? []), row]);
  }
  await Promise.all(
    [...byUser].map(([userId, rows]) =>
      userId === null ? readUntilDecided(part(reading, rows)) : readAsOldUser(reading, userId, rows),
    ),
  );
}

/**
 * What the submitter before ours may have sent is shown to its own ledger user alone, and since a recheck it may have been
 * ours: such a row is dead when neither user's completions show it. What the first stream leaves open waits.
 */
async function readAsOldUser(reading: Reading, userId: string, rows: readonly Looking[]): Promise<void> {
  const dead: Looking[] = [];
  const old = part({ ...reading, userId, marks: [] }, rows);
  await readUntilDecided({
    ...old,
    async close(row, found, verdict) {
      if (found !== 'dead') return await old.close(row, found, verdict);
      old.open.delete(row);
      dead.push(row);
    },
  });
  await readUntilDecided(part(reading, dead));
}

function part(reading: Reading, rows: readonly Looking[]): Reading {
  const open = new Set(rows);
  return {
    ...reading,
    open,
    async close(row, found, verdict) {
      open.delete(row);
      await reading.close(row, found, verdict);
    },
  };
}

const elsewhere = ({ claim }: Looking): Verdict =>
  parkUndecided(
    `ANOTHER_PARTICIPANT: sent on pinned participant no. ${claim.record.sentOn}, which this one cannot tell of`,
  );

/**
 * Rule 4: again after as long as it is overdue, 5 to 60 s. Only a row that nothing but an acceptance can end counts, and
 * only where the ledger was read until our patience was over: that it cannot be read is none of the row's doing (P29).
 */
function later(
  { settings, clock }: PathContext,
  batch: LookBatch,
  { claim }: Looking,
  {
    atOnce,
    readOn,
    why,
  }: { readonly atOnce: boolean; readonly readOn: boolean; readonly why: string | null },
): Verdict {
  if (atOnce) return undecided('now', null);
  const said = why === null ? '' : `; its completions cannot be read: ${why}`;
  const { sentUntil } = claim.record;
  if (sentUntil !== null) {
    const now = batch.now + (clock.elapsed() - batch.at);
    return undecided(
      nextLookMs(now - sentUntil),
      `UNDECIDED: the ledger has not said yet what became of an earlier submission${said}`,
    );
  }
  const lastError = `UNDECIDED: only an acceptance can end it${said}`;
  if (!readOn || why !== null) return undecided(nextLookMs(null), lastError);
  const tries = { attempts: claim.attempts, policy: settings.retry };
  return lookedInVain(lastError, tries, 'UNDECIDED: it may commit at any time, and no acceptance has shown');
}
