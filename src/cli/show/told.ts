// A row's story in words: what happened, in order, and what comes next. Pure; `show` prints it, and the page shows the same.
import { endOf, parkedAdviceFor } from '../../core/advice.js';
import type { StoryLine } from '../../observe/page.js';
import type { Act, Story, StoryEntry, StoryRow } from '../../store/operator/story.js';
import { duration, oneLine } from '../support/text.js';

export interface ToldStory {
  readonly lines: readonly StoryLine[];
  /** What comes next, or what has to be done. */
  readonly next: string;
}

export function told(story: Story): ToldStory {
  const { row, remembered, attempts, acts } = story;
  const arrived: StoryLine[] = row === null ? [] : [{ at: row.createdAt, what: 'arrived' }];
  const gone: StoryLine[] =
    row === null && remembered !== null
      ? [{ at: remembered.at, what: `it had become ${remembered.status}; its row is gone` }]
      : [];
  const lines = [...arrived, ...attempts.map(entryLine), ...acts.map(actLine), ...gone];
  return { lines: lines.sort((one, other) => one.at - other.at), next: nextOf(story) };
}

const OUTCOMES: Readonly<Record<StoryEntry['outcome'], string>> = {
  completed: 'accepted by the ledger',
  failed: 'failed for good',
  mined: 'already mined',
  parked: 'parked, for a person',
  retry: 'refused for now',
  released: 'given back, not counted as an attempt',
  undecided: 'no certain answer: what was sent may still be accepted',
  dead: 'found dead: what was sent will never be accepted',
  lost: 'lost: the instance let its lease run out',
};

function entryLine(entry: StoryEntry): StoryLine {
  const { kind, number, holder, beganAt, endedAt, outcome, error, updateId, offset, traffic } = entry;
  const name = kind === 'attempt' ? `attempt ${number}` : kind === 'look' ? 'a look' : 'its claim';
  const by = holder === null ? '' : ` by ${holder}`;
  const took = beganAt === null ? '' : ` after ${duration(Math.max(0, endedAt - beganAt))}`;
  const details = [
    updateId === null ? null : `update ${updateId}`,
    offset === null ? null : `offset ${offset}`,
    traffic === null ? null : `${traffic} bytes of traffic`,
    error,
  ].filter((part) => part !== null);
  const tail = details.length === 0 ? '' : `: ${oneLine(details.join(', '), 400)}`;
  return { at: endedAt, what: `${name}${by}: ${OUTCOMES[outcome]}${took}${tail}` };
}

const ACTS: Readonly<Record<string, string>> = {
  replay: 'made due again',
  'force-new': 'record discarded and row sent again',
  completed: 'completed by hand',
  fail: 'failed by hand',
  park: 'parked by hand',
  recheck: 'the database had failed over or was restored: every pending row was to be looked up first',
  halt: 'claims were halted',
  repin: 'the participant was unpinned',
  tolerance: 'the tolerance was changed, and a halt ended',
};

const actLine = ({ at, action, by, reason }: Act): StoryLine => ({
  at,
  what: `${ACTS[action] ?? action} by ${by}${reason === null ? '' : `: ${oneLine(reason, 400)}`}`,
});

function nextOf(story: Story): string {
  const { row, now } = story;
  if (row === null) return 'nothing: a new row of this hash is answered with how it ended, and never sent';
  const within = (at: number | null): string => duration(Math.max(0, (at ?? now) - now));
  switch (row.state) {
    case 'mined':
      return 'nothing: it is done';
    case 'completed':
      return "nothing here: the API's miner puts it into a block";
    case 'failed':
      return `nothing: it has failed for good. Its wallet reads: ${oneLine(row.message ?? '', 400)}`;
    case 'in-flight': {
      const since = duration(Math.max(0, now - (row.heldSince ?? now)));
      if (row.leaseUntil === null || row.leaseUntil <= now)
        return `the lease of ${row.holder} has run out: the next poll of any instance takes the row back`;
      return `${row.holder} has held it for ${since}, and renews its lease, which ends in ${within(row.leaseUntil)} if it dies`;
    }
    case 'parked':
      return parkedNext(story, row);
    case 'undecided': {
      const bound =
        row.sentUntil === null
          ? 'only an acceptance can end it'
          : row.sentUntil > now
            ? `the ledger may accept it for another ${within(row.sentUntil)}`
            : 'its bound has passed; the ledger has yet to show a later record time';
      return `${due(row, now, 'looked at again', 'a look is due: the next poll takes it')}; ${bound}`;
    }
    case 'backoff':
    case 'waiting':
      return waitingNext(story, row);
  }
}

const due = ({ dueAt }: StoryRow, now: number, later: string, atOnce: string): string =>
  dueAt !== null && dueAt > now ? `${later} in ${duration(dueAt - now)}` : atOnce;

function parkedNext({ txHash }: Story, row: StoryRow): string {
  const reason = oneLine(row.lastError ?? 'no reason is known', 400);
  const { undecided, elsewhere } = row;
  const { toDo, runbook, end } = parkedAdviceFor({ reason: row.lastError ?? '', undecided, elsewhere });
  const parts = [`parked: ${reason}.`, toDo];
  if (undecided)
    parts.push(`What was sent may still be accepted${end === 'replay' ? '; a replay looks first' : ''}.`);
  if (runbook !== undefined) parts.push(`See \`docs/runbooks.md#${runbook.anchor}\`.`);
  const commands = endOf(end, txHash);
  if (commands !== null) parts.push(`Then: ${commands}`);
  return parts.join(' ');
}

function waitingNext(story: Story, row: StoryRow): string {
  const { now, ahead, waitsOn, pauses, halted, ready } = story;
  if (halted !== null) return `claims are halted: ${oneLine(halted)}`;
  const [pause] = pauses;
  if (pause !== undefined) {
    const scope = pause.scope === 'all' ? '--all' : `--${pause.scope} 0x${pause.address}`;
    return `paused${pause.by === null ? '' : ` by ${pause.by}`}: ${oneLine(pause.reason)}. Then: \`canton-submitter resume ${scope}\``;
  }
  if (ahead !== null) return `waits behind nonce ${ahead.nonce} of the same sender, ${ahead.txHash}`;
  if (waitsOn !== null) {
    const most = duration(Math.max(0, waitsOn.until - now));
    return `waits for the first of these to be decided, which have reserved the holdings it needs, for another ${most} at most: ${waitsOn.hashes.join(', ')}`;
  }
  if (ready === 0) return 'it can be claimed, and no instance is ready: `canton-submitter status` says why';
  return due(row, now, 'tried again', 'it can be claimed: the next claim takes it');
}
