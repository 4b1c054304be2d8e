// In every code base one file gets out of hand, usually the orchestrator; hence a limit.
import type { Problem, Source } from './sources.js';

const LIMIT = 300;
const LIMITS: Readonly<Record<string, number>> = { 'src/submitter.ts': 200 };
/** Lines of code, without blanks and comments. A file with more says why, in the comment at its top. */
const UNEXPLAINED = 250;
const REASON = /\b(long because|one file,? since)\b/i;

export function sizes(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ path, text }) => {
    if (!path.startsWith('src/')) return [];
    const lines = text.trimEnd().split('\n');
    const limit = LIMITS[path] ?? LIMIT;
    if (lines.length > limit) return [{ path, what: `${lines.length} lines, of at most ${limit}: split it` }];
    const code = lines.filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line)).length;
    if (code <= UNEXPLAINED || REASON.test(topComment(lines))) return [];
    const what = `${code} lines of code: split it, or say at its top why it is long ("Long because …")`;
    return [{ path, what }];
  });
}

function topComment(lines: readonly string[]): string {
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines.slice(0, end).join(' ');
}
