import type { Offset, Party } from '../core/ids.js';
import type { ReadFailure } from '../ports/ledger.js';
import type { CompletionEvent } from '../protocol/outcome.js';
import type { Mark } from '../protocol/proof.js';
import { beginBefore, observeProof, type Proof, proofAtBegin } from '../protocol/proof.js';
import { parkUndecided } from '../protocol/verdict.js';
import { bury, judge } from './judge-completions.js';
import type { Dead, Looking, Reading } from './looking.js';
import { isStill } from './marks.js';

/** How long an id may take to be asked. */
const CALL_MS = 5_000;

/** One stream for the batch, read event by event until nothing of it is open, or patience is over. */
export async function readUntilDecided(reading: Reading): Promise<void> {
  const { path, participant, verified, open, stop } = reading;
  if (open.size === 0) return;
  const [mark = null] = reading.marks;
  const earliest = await earliestTold(reading);
  if (earliest === null || open.size === 0) return;
  // Without a mark the id is asked before the stream opens and again after its deciding event.
  if (mark === null && !(await provenOtherwise(reading))) {
    participant.provable(verified.mayAskId || verified.pinned.mark === null);
    return;
  }

  const parties = [
    ...new Set<Party>([...open].map((row) => row.claim.record.party).concat(mark?.party ?? [])),
  ];
  const beginExclusive = beginBefore(earliest, mark);
  const user = reading.userId === null ? {} : { userId: reading.userId };
  const stream = path.ledger.completions({ parties, beginExclusive, ...user }, stop);
  const dead: Dead = new Map();
  let proof: Proof = proofAtBegin(mark);
  let newest: Mark | null = null;
  try {
    for (;;) {
      const step = await stream.next();
      if (step.done) return await afterEnd(reading, mark, step.value);
      const event = step.value;
      proof = observeProof(proof, mark, event);
      if (proof === 'missed')
        return participant.doubt('its completion stream does not show the marked completion');
      newest = acceptance(event) ?? newest;
      await judge(reading, event, dead);
      // Halted by what was read, or somebody else's doubt: no death is read from a bound any more.
      if (participant.verified() === null) return;
      if (proof === 'shown') {
        participant.provable(true);
        await bury(reading, dead);
      }
      if (proof === 'unmarked' && dead.size > 0) {
        if (!(await provenOtherwise(reading))) return;
        await bury(reading, dead);
      }
      if (open.size === 0) return;
    }
  } finally {
    await stream.return(null);
    // A mark is one of our own user's completions: whoever holds a stream against it reads those.
    const proven = proof !== 'missed' && proof !== 'awaiting' && reading.userId === null;
    if (newest !== null && proven) participant.sawAcceptance(newest);
  }
}

/**
 * Without a mark in the stream. Before the first mark, or where all are pruned, the participant id has to do; another
 * user's stream, which has none of ours, is proven by what the participant shows beside it.
 */
async function provenOtherwise({ path, participant, verified, userId, stop }: Reading): Promise<boolean> {
  return userId === null
    ? await isStill(path.ledger, verified, { timeoutMs: CALL_MS, signal: stop })
    : (await participant.prove(stop)) === 'proven';
}

/**
 * The stream ended before everything was decided. Refused for what it lists, a party that may not be read, say, it is
 * no reason for the others to wait: then each party has one of its own, and at last one without the mark's.
 */
async function afterEnd(reading: Reading, mark: Mark | null, end: ReadFailure | null): Promise<void> {
  const { open, close, stop, trouble } = reading;
  if (end === null || stop.aborted) return;
  // The begin was moved back for the mark alone: trouble with it parks nothing, and another may prove as well.
  const marks = reading.marks.slice(1);
  if (end.pruned && mark !== null) return await readUntilDecided({ ...reading, marks });
  if (end.refusal.blame === 'all' || end.refusal.errorId === 'STREAM_ENDED') return;
  const byParty = new Map<Party, Set<Looking>>();
  for (const row of open) {
    const { party } = row.claim.record;
    byParty.set(party, (byParty.get(party) ?? new Set()).add(row));
  }
  const [[party, rows] = []] = [...byParty];
  if (party === undefined || rows === undefined) return;
  if (byParty.size > 1) {
    await Promise.all(
      [...byParty.values()].map((mine) =>
        readUntilDecided({
          ...reading,
          open: mine,
          async close(row, found, verdict) {
            mine.delete(row);
            await close(row, found, verdict);
          },
        }),
      ),
    );
  } else if (mark !== null && mark.party !== party) await readUntilDecided({ ...reading, marks });
  else trouble.set(party, `${end.refusal.errorId}: ${end.refusal.detail}`);
}

/** Where the read begins: the earliest `sentFrom`. A record from 0 begins at what the participant still has. */
async function earliestTold({ path, open, close, stop, unsure }: Reading): Promise<Offset | null> {
  const pruned = await path.ledger.prunedUpTo({ timeoutMs: CALL_MS, signal: stop });
  const upTo = pruned.kind === 'read' ? pruned.value : 0n;
  let earliest: Offset | null = null;
  for (const row of [...open]) {
    const { sentFrom } = row.claim.record;
    if (sentFrom < upTo && !fromTheBegin(row)) {
      await close(
        row,
        'pruned',
        parkUndecided(
          `PRUNED: the participant forgot everything up to ${upTo}, this was sent from ${sentFrom}`,
        ),
      );
      continue;
    }
    if (sentFrom < upTo) unsure.add(row);
    const from = sentFrom < upTo ? upTo : sentFrom;
    earliest = earliest === null || from < earliest ? from : earliest;
  }
  return earliest;
}

/** An unknown record from the ledger's begin: whoever sent it, it was after the row existed. */
const fromTheBegin = ({ claim }: Looking): boolean =>
  claim.record.sentFrom === 0n && claim.record.submissionId === null;

const acceptance = (event: CompletionEvent): Mark | null => {
  const [first] = event.kind === 'accepted' ? event.parties : [];
  return event.kind === 'accepted' && first !== undefined
    ? { offset: event.offset, updateId: event.updateId, party: first as Party }
    : null;
};
