// The status in words: first what it means and what to do, then the queue, the instances, and the rows that wait for a person.
import { type Assessment, assess, type State, type StatusFinding } from '../../store/operator/assess.js';
import type { FleetInstance } from '../../store/operator/fleet.js';
import type { OutboxStatus } from '../../store/outbox-status.js';
import type { QueueStatus, StatusRow } from '../../store/status.js';
import { count, duration, oneLine, table } from '../support/text.js';

/** Rows shown per list on a terminal; `--json` has them all. */
const SHOWN = 10;
const WIDTH = 110;

const HEADINGS: Readonly<Record<StatusFinding['state'], string>> = {
  'not-moving': 'NOT MOVING',
  'needs-a-person': 'NEEDS A PERSON',
};

export function statusText(status: QueueStatus): string {
  const { failures, parked, hashingScheme, outcomes } = status;
  const sections = [
    headline(status, assess(status)),
    section('Pending rows', queueTable(status)),
    section('Instances', fleetTable(status)),
  ];
  if (outcomes !== null)
    sections.push(section(`Outcomes, kept for ${outcomes.keptFor}`, outcomesText(outcomes)));
  if (parked.length > 0)
    sections.push(section('Parked, waiting for a person: what to do is above', list(parked)));
  if (failures.length > 0) sections.push(section('Latest failures', list(failures)));
  const notes = notices(status);
  if (hashingScheme !== null) notes.push(`External senders sign under hashing scheme V${hashingScheme}`);
  if (notes.length > 0) sections.push(notes.join('\n'));
  return sections.join('\n\n');
}

const section = (heading: string, body: string): string => `${heading}\n${body}`;

function headline({ queue, due, fleet }: QueueStatus, { state, findings }: Assessment): string {
  if (state === 'fine') {
    const ready = fleet.filter(({ life }) => life === 'ready').length;
    const pending = Object.values(queue).reduce((sum, { rows }) => sum + rows, 0);
    return `FINE: ${count(pending, 'row')} pending, ${due.claimable} of them to be claimed; ${count(ready, 'instance')} ready`;
  }
  const part = (wanted: State, heading: string): string[] => {
    const some = findings.filter((one) => one.state === wanted);
    if (some.length === 0) return [];
    return [heading, ...some.flatMap(({ what, todo }) => [`  ${oneLine(what)}`, ...wrapped(todo)])];
  };
  return Object.entries(HEADINGS)
    .flatMap(([wanted, heading]) => part(wanted as State, heading))
    .join('\n');
}

/** Advice is read whole: on as many lines as it takes. */
function wrapped(todo: string): string[] {
  const lines: string[] = [];
  let line = '    ->';
  for (const word of oneLine(todo, 1_000).split(' ')) {
    if (line.length + 1 + word.length > WIDTH && line.trim() !== '->' && line.trim() !== '') {
      lines.push(line);
      line = '      ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function queueTable({ queue, due }: QueueStatus): string {
  const lines: (readonly (string | number)[])[] = [];
  for (const [state, { rows, oldestMs }] of Object.entries(queue)) {
    lines.push([state, rows, oldestMs === null ? '' : `oldest ${duration(oldestMs)}`]);
    if (state !== 'waiting' || rows === 0) continue;
    const dueFor = due.oldestMs === null ? '' : `due for ${duration(due.oldestMs)}`;
    lines.push(['  claimable', due.claimable, dueFor]);
    if (due.paused > 0) lines.push(['  paused', due.paused, '']);
    // What is due is counted a moment after what waits.
    const behind = rows - due.claimable - due.paused;
    if (behind > 0) lines.push(['  behind', behind, 'an earlier row of their sender']);
  }
  return table(lines);
}

function fleetTable({ fleet, now }: QueueStatus): string {
  if (fleet.length === 0) return '  no instance has been seen within a day';
  const live = fleet.filter(({ life }) => life === 'ready' || life === 'not-ready' || life === 'silent');
  const perMinute = live.reduce((sum, { endedLastMinute }) => sum + endedLastMinute, 0);
  const total = (name: string): number => live.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
  const totals = `  ended in the last minute: ${perMinute}; since they started: ${total('completed')} completed, ${total('failed')} failed, ${total('retried')} tried again, ${total('parked')} parked`;
  return [
    table(
      fleet.map((one) => [one.holder, one.version ?? '', one.life, lifeSince(one, now), holding(one, now)]),
    ),
    ...fleet.flatMap(({ holder, life, blockers }) =>
      life === 'dead' || life === 'stopped'
        ? []
        : blockers.filter(saysMore).map(({ part, reason }) => `  ${holder}: ${part}: ${oneLine(reason)}`),
    ),
    totals,
  ].join('\n');
}

/** What is paused is said once, for the fleet. */
const saysMore = ({ part }: FleetInstance['blockers'][number]): boolean => part !== 'paused';

function lifeSince({ life, seenAt, readyChangedAt }: FleetInstance, now: number): string {
  const since = life === 'ready' || life === 'not-ready' ? readyChangedAt : seenAt;
  if (since === null) return 'sends no heartbeats: an earlier build';
  const ago = duration(Math.max(0, now - since));
  return life === 'ready' || life === 'not-ready' ? `for ${ago}` : `last seen ${ago} ago`;
}

function holding({ held, lostRows, endedLastMinute, life }: FleetInstance, now: number): string {
  const parts: string[] = [];
  if (held.rows > 0) {
    const oldest = held.oldestAt === null ? '' : ` (oldest ${duration(Math.max(0, now - held.oldestAt))})`;
    parts.push(`holds ${count(held.rows, 'row')}${oldest}`);
  }
  if (lostRows > 0) parts.push(`lost ${count(lostRows, 'row')}`);
  if (life === 'ready') parts.push(`${endedLastMinute}/min`);
  return parts.join(', ');
}

/** On their way to others. */
function outcomesText({ keptFor, waiting, dead, troubled, consumers }: OutboxStatus): string {
  const lines: (readonly (string | number)[])[] = [];
  if (keptFor === 'webhooks' || waiting.rows > 0)
    lines.push([
      'to deliver',
      waiting.rows,
      waiting.oldestMs === null ? '' : `oldest ${duration(waiting.oldestMs)}`,
    ]);
  if (dead > 0) lines.push(['given up', dead, 'see `webhooks list`']);
  for (const { consumer, behind, idleMs, read } of consumers) {
    const last = idleMs === null ? 'nothing acknowledged yet' : `last acknowledged ${duration(idleMs)} ago`;
    lines.push([`consumer ${consumer}`, behind, `behind, ${read ? 'read now' : 'NOT READ'}, ${last}`]);
  }
  const trouble = troubled
    .slice(0, SHOWN)
    .map(({ txHash, delivery, attempts, error }) => [
      txHash,
      delivery === 'dead' ? 'given up' : 'tried again',
      attempts,
      oneLine(error ?? ''),
    ]);
  const parts = [lines, trouble].filter((part) => part.length > 0).map((part) => table(part));
  return parts.length === 0 ? '  nothing yet' : parts.join('\n');
}

/** What is out of the ordinary and needs nobody. */
function notices({ now, recheck }: QueueStatus): string[] {
  if (recheck === null) return [];
  return [
    `Rechecked ${duration(now - recheck.at)} ago: new rows are looked up from offset ${recheck.from} on before they may fail`,
  ];
}

const list = (rows: readonly StatusRow[]): string => {
  const shown = rows.slice(0, SHOWN).map(({ txHash, ageMs, undecided, reason }) => {
    const what = `${undecided ? '(undecided) ' : ''}${reason}`;
    return [txHash, duration(ageMs), oneLine(what)];
  });
  return `${table(shown)}${rows.length > SHOWN ? '\n  … see all of them with --json' : ''}`;
};
