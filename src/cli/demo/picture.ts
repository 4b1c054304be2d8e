// Shows the demo's progress: a picture that is redrawn on a terminal, lines elsewhere.
import { count } from '../support/text.js';
import type { Counts } from './database.js';
import type { Summary } from './tally.js';

export interface Progress extends Counts {
  readonly rows: number;
  readonly inserted: number;
  readonly elapsedMs: number;
}

export interface Picture {
  say(line: string): void;
  progress(progress: Progress): void;
}

const WIDTH = 50;
const LINES_EVERY_MS = 2_000;

export function createPicture(out: NodeJS.WriteStream): Picture {
  return out.isTTY ? drawn(out) : told(out);
}

function drawn(out: NodeJS.WriteStream): Picture {
  let shown = 0;
  const erase = (): void => {
    if (shown > 0) out.write(`\u001b[${shown}A\u001b[J`);
    shown = 0;
  };
  return {
    say(line) {
      erase();
      out.write(`${line}\n`);
    },
    progress(progress) {
      erase();
      const lines = [`  [${bar(progress)}]`, `  ${figures(progress)}`];
      out.write(`${lines.join('\n')}\n`);
      shown = lines.length;
    },
  };
}

function told(out: NodeJS.WriteStream): Picture {
  let next = 0;
  return {
    say: (line) => void out.write(`${line}\n`),
    progress(progress) {
      const over = progress.completed + progress.failed === progress.rows;
      if (progress.elapsedMs < next && !over) return;
      next = over ? Number.POSITIVE_INFINITY : progress.elapsedMs + LINES_EVERY_MS;
      out.write(`  ${figures(progress)}\n`);
    },
  };
}

/** Done, at the ledger, waiting, not inserted yet. */
function bar({ rows, completed, failed, inFlight, inserted }: Progress): string {
  const cells = (n: number): number => Math.round((n / rows) * WIDTH);
  const done = cells(completed + failed);
  const busy = Math.min(WIDTH - done, cells(inFlight));
  const waiting = Math.max(0, Math.min(WIDTH - done - busy, cells(inserted) - done - busy));
  return `${'█'.repeat(done)}${'▒'.repeat(busy)}${'░'.repeat(waiting)}`.padEnd(WIDTH);
}

const figures = (progress: Progress): string => {
  const { rows, inserted, completed, failed, inFlight, pending, parked, elapsedMs } = progress;
  const waiting = Math.max(0, pending - inFlight);
  const odd = `${failed > 0 ? `, ${failed} failed` : ''}${parked > 0 ? `, ${parked} parked` : ''}`;
  return `${(elapsedMs / 1000).toFixed(1).padStart(5)} s  ${inserted} of ${rows} inserted, ${waiting} waiting, ${inFlight} in flight, ${completed} completed${odd}`;
};

export function summaryText(summary: Summary, seconds: number): string {
  const { rows, completed, failed, pending, parked, ledgerCalls, callsPerRow, doubleCommits, instances } =
    summary;
  const { insertToCallMs: call, insertToDoneMs: done, claimStatements, perInstance } = summary;
  return [
    '',
    `${count(rows, 'transfer')}, ${count(instances, 'submitter')}, ${seconds.toFixed(1)} s`,
    `  rows          ${completed} completed, ${failed} failed, ${pending} pending, ${parked} parked`,
    `  ledger        ${ledgerCalls} submissions (${callsPerRow} per row), ${doubleCommits} double commits`,
    `  insert → call p50 ${call.p50} ms, p99 ${call.p99} ms   insert → done p50 ${done.p50} ms, p99 ${done.p99} ms`,
    `  database      ${claimStatements} claim statements (${(claimStatements / rows).toFixed(2)} per row)`,
    `  per instance  ${perInstance.map(({ instance, rows: mine }) => `${instance} ${mine}`).join(', ')}`,
    '',
  ].join('\n');
}
