import type { Offset, Party } from '../../core/ids.js';
import type { ReadFailure } from '../../ports/ledger.js';
import type { CompletionEvent } from '../../protocol/outcome.js';
import type { Mark } from '../../protocol/proof.js';
import { parkUndecided } from '../../protocol/verdict.js';
import { provenStream } from '../participant/proving.js';
import { applyCompletion, closeDead, type Dead, type Looking, type Reading } from './completion.js';

/** How long the participant may take to say how far it has pruned. Without an answer the look reads from the record. */
const PRUNED_UP_TO_MS = 5_000;

/** One stream for our own rows, and one for each user who may have sent others; none waits for another. */
export async function readAll(reading: Reading): Promise<void> {
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
 * What the submitter before ours may have sent is shown to its own ledger user alone, and since a recheck it may also have
 * been ours: such a row is dead only when neither user's completions show it. What the first stream leaves open waits.
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

/** The same reading, for some of its rows. */
function part(reading: Reading, rows: Iterable<Looking>): Reading {
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

/** One stream for these rows, read event by event until none of them is open, or patience is over. */
async function readUntilDecided(reading: Reading): Promise<void> {
  const { path, verified, open, stop, userId } = reading;
  const { participant } = path;
  if (open.size === 0) return;
  const [mark = null] = reading.marks;
  const from = await earliestTold(reading);
  if (from === null || open.size === 0) return;

  const parties = [...open].map((row) => row.claim.record.party);
  // Another user's stream has none of our completions: it is proven by what the participant shows besides it.
  const ofUser =
    userId === null ? {} : { userId, provenBeside: async () => (await participant.prove(stop)) === 'proven' };
  const dead: Dead = new Map();
  let newest: Mark | null = null;
  let proven = false;
  const life = path.cuts.opened();
  try {
    for await (const step of provenStream(path.ledger, { verified, parties, from, mark, ...ofUser }, stop)) {
      if (step.kind === 'unprovable') {
        participant.provable(verified.mayAskId || verified.pinned.mark === null);
        return;
      }
      if (step.kind === 'missed') {
        proven = false;
        participant.doubt({ kind: 'mark-missed', where: 'stream' });
        return;
      }
      if (step.kind === 'ended') return await afterEnd(reading, mark, step.failure, life.ended(step.failure));
      if (step.event.kind === 'checkpoint') life.toldTime();
      proven = step.proof !== 'awaiting';
      newest = acceptance(step.event) ?? newest;
      await applyCompletion(reading, step.event, dead);
      // Halted by what was read, or doubted by somebody else: no death may be read from a bound any more.
      if (participant.verified() === null) return;
      if (step.proof === 'shown') participant.provable(true);
      if (dead.size > 0 && step.proof !== 'awaiting') {
        if (!(await step.proven())) return;
        await closeDead(reading, dead);
      }
      if (open.size === 0) return;
    }
  } finally {
    // A mark is one of our own user's completions: whoever compares a stream with it reads those.
    if (newest !== null && proven && userId === null) participant.sawAcceptance(newest);
  }
}

/**
 * The stream ended before everything was decided. If it was refused because of a party that may not be read, the other
 * parties need not wait: each then has a stream of its own, and the last one is tried without the mark's party.
 */
async function afterEnd(
  reading: Reading,
  mark: Mark | null,
  end: ReadFailure | null,
  cut: string | null,
): Promise<void> {
  const { open, stop, trouble } = reading;
  if (end === null || stop.aborted) return;
  // The begin was moved back for the mark alone: trouble with it parks nothing, and another mark may prove as well.
  const marks = reading.marks.slice(1);
  if (end.pruned && mark !== null) return await readUntilDecided({ ...reading, marks });
  if (end.refusal.blame === 'all' || end.refusal.errorId === 'STREAM_ENDED') {
    if (cut !== null) for (const row of open) trouble.set(row.claim.record.party, cut);
    return;
  }
  const byParty = new Map<Party, Looking[]>();
  for (const row of open) {
    const { party } = row.claim.record;
    byParty.set(party, [...(byParty.get(party) ?? []), row]);
  }
  const [party] = byParty.keys();
  if (party === undefined) return;
  if (byParty.size > 1)
    await Promise.all([...byParty.values()].map((mine) => readUntilDecided(part(reading, mine))));
  else if (mark !== null && mark.party !== party) await readUntilDecided({ ...reading, marks });
  else trouble.set(party, cut ?? `${end.refusal.errorId}: ${end.refusal.detail}`);
}

/** Where the read begins: the earliest `sentFrom`. A record from 0 begins at what the participant still has. */
async function earliestTold({ path, open, close, stop, unsure }: Reading): Promise<Offset | null> {
  const pruned = await path.ledger.prunedUpTo({ timeoutMs: PRUNED_UP_TO_MS, signal: stop });
  const upTo = pruned.kind === 'read' ? pruned.value : 0n;
  let earliest: Offset | null = null;
  for (const row of [...open]) {
    const { sentFrom } = row.claim.record;
    if (sentFrom < upTo && !fromTheBegin(row)) {
      const why = `PRUNED: the participant has pruned everything up to ${upTo}, and this was sent from ${sentFrom}`;
      await close(row, 'pruned', parkUndecided(why));
      continue;
    }
    if (sentFrom < upTo) unsure.add(row);
    const from = sentFrom < upTo ? upTo : sentFrom;
    earliest = earliest === null || from < earliest ? from : earliest;
  }
  return earliest;
}

/** An unknown record from the ledger's begin: whoever sent it did so after the row existed. */
const fromTheBegin = ({ claim }: Looking): boolean =>
  claim.record.sentFrom === 0n && claim.record.submissionId === null;

const acceptance = (event: CompletionEvent): Mark | null => {
  const [first] = event.kind === 'accepted' ? event.parties : [];
  return event.kind === 'accepted' && first !== undefined
    ? { offset: event.offset, updateId: event.updateId, party: first as Party }
    : null;
};
