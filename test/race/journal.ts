// What the processes of the stress write down, and what the checker reads: every operation before it is sent and after
// its answer, so that a killed process leaves it open. Times are one machine's: of all processes and of the database.
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

export const LEASE_MS = 300;

export interface Claimed {
  readonly id: string;
  readonly sender: string;
  readonly nonce: string;
  readonly token: string;
  /** Whether the row is undecided from here on, because the claim wrote a record or found one. */
  readonly undecided: boolean;
  /** On the database's clock. */
  readonly leaseUntil: number;
}

export type Kind = 'completed' | 'failed' | 'retry' | 'unknown' | 'parked';

export type Sent =
  | { readonly op: 'insert' }
  | { readonly op: 'claim' | 'look' }
  | { readonly op: 'renew'; readonly tokens: readonly string[] }
  | {
      readonly op: 'settle';
      readonly ids: readonly string[];
      readonly tokens: readonly string[];
      readonly kinds: readonly Kind[];
      readonly clears: readonly boolean[];
      readonly delays: readonly number[];
    }
  | { readonly op: 'write-ahead'; readonly ids: readonly string[] }
  | { readonly op: 'park' | 'replay'; readonly ids: readonly string[] }
  | { readonly op: 'rescue' };

export interface Answer {
  readonly inserted?: { readonly id: string; readonly sender: string; readonly nonce: string };
  readonly claimed?: readonly Claimed[];
  /** Tokens that a renewal kept. */
  readonly kept?: readonly string[];
  /** Rows that a settle, park or replay changed. */
  readonly changed?: readonly string[];
  readonly count?: number;
}

/** `answered` is Infinity where no answer came: it may have happened at any time after `sent`. */
export type Operation = Sent & { readonly sent: number; readonly answered: number; readonly answer: Answer };

type Line =
  | { readonly n: string; readonly sent: number; readonly what: Sent }
  | { readonly n: string; readonly answered: number; readonly answer: Answer }
  | { readonly error: string };

export interface Journal {
  op(what: Sent, run: () => Promise<Answer>): Promise<Answer>;
}

export function openJournal(fd: number, name: string): Journal {
  let count = 0;
  const write = (line: Line): void => void writeSync(fd, `${JSON.stringify(line)}\n`);
  return {
    async op(what, run) {
      const n = `${name}.${++count}`;
      write({ n, sent: Date.now(), what });
      try {
        const answer = await run();
        write({ n, answered: Date.now(), answer });
        return answer;
      } catch (error) {
        write({ error: `${what.op}: ${String(error)}` });
        return {};
      }
    },
  };
}

export function readJournals(folder: string): { operations: Operation[]; errors: Record<string, number> } {
  const operations = new Map<string, Operation>();
  const errors: Record<string, number> = {};
  for (const file of readdirSync(folder)) {
    for (const text of readFileSync(path.join(folder, file), 'utf8').split('\n')) {
      const line = parse(text);
      if (line === null) continue;
      if ('error' in line) errors[line.error] = (errors[line.error] ?? 0) + 1;
      else if ('what' in line) {
        operations.set(line.n, {
          ...line.what,
          sent: line.sent,
          answered: Number.POSITIVE_INFINITY,
          answer: {},
        });
      } else {
        const open = operations.get(line.n);
        if (open) operations.set(line.n, { ...open, answered: line.answered, answer: line.answer });
      }
    }
  }
  return { operations: [...operations.values()], errors };
}

/** A killed process may leave half a line. */
function parse(text: string): Line | null {
  try {
    return text === '' ? null : (JSON.parse(text) as Line);
  } catch {
    return null;
  }
}
