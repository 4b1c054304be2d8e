// What may be in a file, depending on where it is: SQL only in the store, the machine's clock in one place, no
// sleeping tests.
import { codeOf, commentsOf, type Problem, type Source, stringsOf } from './sources.js';

const SQL =
  /\b(select\b[\s\S]*?\bfrom\s+[a-z_"(]|insert\s+into\b|update\s+\w+(\s+\w+)?\s+set\b|delete\s+from\b|(create|drop|alter)\s+(or\s+replace\s+)?(unique\s+)?(table|index|function|trigger|database)\b|truncate\s+\w|lock\s+table\b|(?:^|;)\s*(?:un)?listen\s+\w|pg_notify\()/i;

/** All SQL is in one place, so that everything that touches the table can be read there. */
export function sql(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (!source.path.startsWith('src/') || source.path.startsWith('src/store/')) return [];
    const found = stringsOf(source).find((text) => SQL.test(text));
    return found === undefined
      ? []
      : [{ path: source.path, what: `SQL outside src/store: ${JSON.stringify(found.slice(0, 60))}` }];
  });
}

/**
 * I7: a process measures elapsed time, on its monotonic clock. Code that plays others may use the machine's clock, as
 * they do.
 */
const WITH_A_CLOCK = /^src\/(sandbox|cli)\/|^src\/runtime\/clock\.ts$/;

export function clocks(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (!source.path.startsWith('src/') || WITH_A_CLOCK.test(source.path)) return [];
    return /\bDate \. now\b|\bnew Date (?:\( \)|;)/.test(codeOf(source))
      ? [
          {
            path: source.path,
            what: "asks for the machine's time: use the database's, or the monotonic clock",
          },
        ]
      : [];
  });
}

/** Helpers for all tests, or for those in the same folder. */
const SUPPORT = /^test\/(.*\/)?support(\/|\.ts$)/;

/**
 * A sleep in a test is a guess about a machine. Tests wait for events; the helpers that do so may have a time-out. A
 * database session that sleeps longer than any test lasts is keeping something busy, which is not a wait.
 */
export function sleeps(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (!source.path.startsWith('test/') || SUPPORT.test(source.path)) return [];
    const code = codeOf(source);
    const slept =
      /\b(setTimeout|setInterval|sleep|pause|delay) \(/.exec(code)?.[1] ??
      stringsOf(source).find((text) =>
        /^(node:)?timers\/promises$|\bpg_sleep\((\d{1,2}|\d*\.\d+)\)/.test(text),
      );
    return slept === undefined
      ? []
      : [{ path: source.path, what: `${slept}: wait for an event instead, with a helper of test/support` }];
  });
}

/**
 * AbortSignal.any loses a time-out among its sources when that is collected (nodejs/node#57736); `runtime/limit.ts`
 * does not.
 */
export function weakSignals(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) =>
    source.path.startsWith('src/') && /\bAbortSignal \. any\b/.test(codeOf(source))
      ? [{ path: source.path, what: 'AbortSignal.any may never abort: use runtime/limit.ts' }]
      : [],
  );
}

/** Phrases that no native engineer would write, each with what to write instead. */
const PHRASES: readonly { readonly pattern: RegExp; readonly comment?: true; readonly instead: string }[] = [
  {
    pattern: /^Of [a-z]/,
    comment: true,
    instead: 'begin with what it is, not with "Of …"',
  },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) no (?!longer\b|reason\b|need\b|more\b|later\b|larger\b)[a-z]/i,
    instead: 'write "is not a …"',
  },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) none\b(?! of\b)/,
    instead: 'say what is the matter with it: invalid, missing, ignored …',
  },
  {
    pattern: /\b(hungry|appetite|bur(y|ies|ied)|one foot outside|forgiven|second belt)\b/i,
    instead: 'say it without the image',
  },
];

/**
 * Comments and messages are read by people who are in a hurry, some of them at 3 a.m.; the titles of tests by whoever
 * broke one.
 */
export function english(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (!/^((src|test)\/.*\.ts|page\/.*\.js)$/.test(source.path)) return [];
    // The model's comments are still to be put right.
    const comments = source.path.startsWith('test/model/') ? [] : commentsOf(source);
    const everything = [...comments, ...stringsOf(source)];
    return PHRASES.flatMap(({ pattern, comment, instead }) =>
      (comment ? comments : everything)
        .filter((text) => pattern.test(text))
        .map((text) => ({ path: source.path, what: `${JSON.stringify(text.slice(0, 70))}: ${instead}` })),
    );
  });
}
