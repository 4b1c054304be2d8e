// schema.sql, protocol.sql, triggers.sql and outcomes.sql, cut into the steps that `migrate` runs one by one, each in a transaction.
import { readFileSync } from 'node:fs';
import type { Lanes, Outcomes, SameNonce } from '../pins.js';

export interface SqlStep {
  /** The first line of its comment. */
  readonly name: string;
  readonly sql: string;
  /** An index: built by itself, outside a transaction; dropped and built again where one was left invalid. */
  readonly index: string | null;
  /** Only for these settings of LANES. */
  readonly lanes: readonly string[] | null;
  /** Only for this setting of SAME_NONCE. */
  readonly sameNonce: SameNonce | null;
  /** Only where outcomes are kept: the trigger that writes them. */
  readonly writesOutcomes: boolean;
  /** Run after the pinned row is there. */
  readonly afterPin: boolean;
}

const FILES = ['schema.sql', 'protocol.sql', 'triggers.sql', 'outcomes.sql'];

export function readSqlSteps(): readonly SqlStep[] {
  return FILES.flatMap((file) => cut(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')));
}

/** A step begins with `-- @step [index NAME] [lanes=…,…] [same_nonce=…] [outcomes=on] [after=pin]: what it is`. */
function cut(text: string): SqlStep[] {
  const [, ...parts] = text.split(/^-- @step /m);
  return parts.map((part) => {
    const [head = ''] = part.split('\n', 1);
    const attributes = head.split(':', 1)[0] ?? '';
    return {
      name: head,
      sql: `-- ${part.trimEnd()}\n`,
      index: /^index (\w+)/.exec(attributes)?.[1] ?? null,
      lanes: /lanes=([\w,]+)/.exec(attributes)?.[1]?.split(',') ?? null,
      sameNonce: attributes.includes('same_nonce=park') ? 'park' : null,
      writesOutcomes: attributes.includes('outcomes=on'),
      afterPin: attributes.includes('after=pin'),
    };
  });
}

export const wantedFor =
  (lanes: Lanes, sameNonce: SameNonce = 'pay', outcomes: Outcomes = 'off') =>
  (step: SqlStep): boolean =>
    (step.lanes === null || step.lanes.includes(lanes)) &&
    (step.sameNonce === null || step.sameNonce === sameNonce) &&
    (!step.writesOutcomes || outcomes !== 'off');

const namesIn = (sql: string, pattern: RegExp): readonly string[] => [
  ...new Set([...sql.matchAll(pattern)].map(([, name = '']) => name)),
];

/** What this SQL makes, by name, in its order. */
export const functionsIn = (sql: string): readonly string[] =>
  namesIn(sql, /create or replace function (\w+)/g);
export const triggersIn = (sql: string): readonly string[] =>
  namesIn(sql, /create (?:constraint )?trigger (\w+)/g);

/** The table that the step's index is on. */
export const indexedTable = (step: SqlStep): string =>
  /^create .*index .* on (\w+) /m.exec(step.sql)?.[1] ?? '';

/** An index that forbids something, whoever writes it. */
export const isUnique = (step: SqlStep): boolean => step.sql.includes('create unique index');
