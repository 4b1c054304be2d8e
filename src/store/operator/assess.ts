// What a status means: fine, or what a person has to do. Pure; the exit code of `status`, its headline and the page are
// this.
import { blockerAdvice, codeOf, endOfAll, type ParkedRow, parkedAdviceFor } from '../../core/advice.js';
import { HARMLESS } from '../../core/blockers.js';
import { withoutErrorId } from '../../core/words.js';
import type { QueueStatus } from '../status.js';
import type { FleetInstance } from './fleet.js';

/** In this order: the worst finding decides. */
export type State = 'fine' | 'needs-a-person' | 'not-moving';

export interface StatusFinding {
  readonly state: Exclude<State, 'fine'>;
  /** One line: what is wrong. */
  readonly what: string;
  /** What to do; commands and settings between backticks. */
  readonly todo: string;
}

export interface Assessment {
  readonly state: State;
  /** Worst first. */
  readonly findings: readonly StatusFinding[];
}

/** An instance that starts, or waits for its participant's next answer, needs nobody. */
const UNREADY_MS = 600_000;
/** On a quiet synchronizer an undecided row may wait for half an hour. */
const UNDECIDED_MS = 3_600_000;
/** A restart of the receiver takes less. */
const UNDELIVERED_MS = 900_000;
/** Instances that say they are ready claim at least every poll. */
const STUCK_MS = 300_000;

/** Whoever has no whole status at hand needs only this. */
export type Assessed = Pick<
  QueueStatus,
  | 'now'
  | 'countedAt'
  | 'queue'
  | 'due'
  | 'fleet'
  | 'pauses'
  | 'lostOften'
  | 'halted'
  | 'recordedElsewhere'
  | 'outcomes'
> & { readonly parked: readonly ParkedRow[] };

export function assess(status: Assessed): Assessment {
  const findings = [...notMoving(status), ...needsAPerson(status)];
  return { state: findings[0]?.state ?? 'fine', findings };
}

const rows = (n: number): string => `${n} ${n === 1 ? 'row' : 'rows'}`;
const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} min`;

/**
 * Rows have been claimable for minutes, and not one is in flight. Only true if what is due was counted no earlier than the
 * queue: rows that were due then may have ended since.
 */
export const looksStuck = ({ due, queue }: Pick<Assessed, 'due' | 'queue'>): boolean =>
  due.claimable > 0 && queue['in-flight'].rows === 0 && (due.oldestMs ?? 0) >= STUCK_MS;

function notMoving({ countedAt, due, queue, fleet, halted }: Assessed): StatusFinding[] {
  if (due.claimable === 0) return [];
  const found = (what: string, todo: string): StatusFinding[] => [{ state: 'not-moving', what, todo }];
  const waiting = `${rows(due.claimable)} could be claimed`;
  const live = fleet.filter(isLive);
  if (live.length === 0) return found(`${waiting}, and no instance is alive`, 'start `canton-submitter run`');
  if (!live.some(claims)) {
    const why = [...new Set(live.flatMap(blocking).map(({ reason }) => withoutErrorId(reason)))];
    return found(
      `${waiting}, and no instance is ready: ${why.join('; ') || 'they are starting'}`,
      halted === null
        ? 'remove the cause; each instance resumes on its own'
        : 'resolve the halt first (below)',
    );
  }
  if (looksStuck({ due, queue }) && countedAt.due >= countedAt.queue) {
    return found(
      `${waiting}, the oldest for ${minutes(due.oldestMs ?? 0)}, and instances that are ready claim nothing`,
      'read their logs at LOG_LEVEL=debug, restart one of them, and report it',
    );
  }
  return [];
}

const isLive = ({ life }: FleetInstance): boolean => life !== 'dead' && life !== 'stopped';
/** What keeps it from claiming, and not what it only has to say besides. */
const blocking = ({ blockers }: FleetInstance) => blockers.filter(({ part }) => !HARMLESS.has(part));
const claims = ({ life }: FleetInstance): boolean => life === 'ready' || life === 'unregistered';

function needsAPerson(status: Assessed): StatusFinding[] {
  const { halted, queue, recordedElsewhere, pauses, fleet, lostOften, now } = status;
  const findings: StatusFinding[] = [];
  const found = (what: string, todo: string): void => {
    findings.push({ state: 'needs-a-person', what, todo });
  };
  if (halted !== null)
    found(
      `claims are halted: ${halted}`,
      'docs/runbooks.md, "Halted": `canton-submitter migrate --tolerance MS`',
    );
  for (const { scope, address, reason, by } of pauses) {
    const part = scope === 'all' ? 'everything' : `${scope} 0x${address}`;
    const resume = scope === 'all' ? '--all' : `--${scope} 0x${address}`;
    found(
      `${part} is paused${by === null ? '' : ` by ${by}`}: ${reason}`,
      `to end the pause: \`canton-submitter resume ${resume}\``,
    );
  }
  findings.push(...parkedRows(status));
  if (recordedElsewhere > 0)
    found(
      `${rows(recordedElsewhere)} sent on a participant that is no longer pinned`,
      '`canton-submitter replay --completed` or `--force-new`, one by one',
    );
  for (const instance of fleet) {
    const { holder, life, readyChangedAt } = instance;
    const since = now - (readyChangedAt ?? now);
    if (life !== 'not-ready' || since < UNREADY_MS) continue;
    const why = blocking(instance)
      .map(({ part, reason }) => `${part}: ${reason}`)
      .join('; ');
    found(
      `${holder} has not been ready for ${minutes(since)}: ${why}`,
      [...new Set(blocking(instance).map(({ part }) => blockerToDo(part)))].join(' '),
    );
  }
  const undecidedMs = queue.undecided.oldestMs ?? 0;
  if (undecidedMs >= UNDECIDED_MS)
    found(
      `${rows(queue.undecided.rows)} undecided, of which the oldest arrived ${minutes(undecidedMs)} ago: the ledger has not yet shown what became of the submission`,
      '`canton-submitter show HASH` says since when it is undecided, and when it is looked up next; if that is long ago, check that the synchronizer makes progress',
    );
  for (const { txHash, times } of lostOften)
    found(
      `${txHash} was held by ${times} instances that died within a day`,
      `it may be what kills them: \`canton-submitter show ${txHash}\`, then \`park\` it`,
    );
  return [...findings, ...undelivered(status)];
}

/** By reason, as each has its own next step. A list has only the oldest rows, so that there may be more than it shows. */
function parkedRows({ queue, parked }: Assessed): StatusFinding[] {
  const counted = queue.parked.rows;
  if (counted === 0) return [];
  const groups = new Map<string, { readonly code: string; readonly todo: string; rows: number }>();
  for (const row of parked.slice(0, counted)) {
    const code = codeOf(row.reason) ?? 'no code';
    const { toDo, end } = parkedAdviceFor(row);
    const commands = endOfAll(end, row.reason);
    const todo = commands === null ? toDo : `${toDo} Then: ${commands}`;
    const group = groups.get(`${code} ${todo}`);
    if (group === undefined) groups.set(`${code} ${todo}`, { code, todo, rows: 1 });
    else group.rows += 1;
  }
  const found = (what: string, todo: string): StatusFinding => ({ state: 'needs-a-person', what, todo });
  const findings = [...groups.values()].map(({ code, todo, rows: n }) =>
    found(`${rows(n)} parked: ${code}`, todo),
  );
  const more = counted - parked.length;
  if (more > 0)
    findings.push(
      found(
        `${rows(more)} parked${findings.length === 0 ? '' : ' besides'}`,
        'the oldest come first: end those, and the next ones are listed',
      ),
    );
  return findings;
}

/** An instance of a later build may name a part that this one does not know. */
const blockerToDo = (part: string): string =>
  Object.hasOwn(blockerAdvice, part)
    ? blockerAdvice[part as keyof typeof blockerAdvice]
    : 'Do what the reason says.';

function undelivered({ outcomes }: Assessed): StatusFinding[] {
  const findings: StatusFinding[] = [];
  if (outcomes === null) return findings;
  const { waiting, dead, troubled } = outcomes;
  const found = (what: string, todo: string): void => {
    findings.push({ state: 'needs-a-person', what, todo });
  };
  if ((waiting.oldestMs ?? 0) >= UNDELIVERED_MS)
    found(
      `${waiting.rows} outcomes are not delivered by webhook, the oldest for ${minutes(waiting.oldestMs ?? 0)}: ${troubled.at(-1)?.error ?? 'no instance has WEBHOOK_URL, or none is running'}`,
      'fix the receiver, and each is delivered by itself; `canton-submitter webhooks skip` where one holds up its sender',
    );
  if (dead > 0)
    found(
      `the delivery of ${dead} ${dead === 1 ? 'outcome' : 'outcomes'} was given up: ${troubled[0]?.error ?? ''}`,
      '`canton-submitter webhooks list`, then `webhooks replay --dead`, or `webhooks skip --dead`',
    );
  return findings;
}
