// In every code base one file gets out of hand, usually the orchestrator; hence a limit.
import type { Problem, Source } from './sources.js';

const LIMIT = 300;
const LIMITS: Readonly<Record<string, number>> = { 'src/submitter.ts': 200 };

export function sizes(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ path, text }) => {
    if (!path.startsWith('src/')) return [];
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    const limit = LIMITS[path] ?? LIMIT;
    return lines > limit ? [{ path, what: `${lines} lines, of at most ${limit}: split it` }] : [];
  });
}
