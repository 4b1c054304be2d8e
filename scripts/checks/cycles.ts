// No file may reach itself through its imports, type imports included: files in a cycle can only be read together.
import { importsOf, type Problem, type Source } from './sources.js';

export function cycles(sources: readonly Source[]): Problem[] {
  const files = sources.filter(({ path }) => path.startsWith('src/'));
  const graph = new Map(
    files.map((source) => [
      source.path,
      importsOf(source).flatMap(({ file }) => (file === null ? [] : [file])),
    ]),
  );
  const done = new Set<string>();
  const problems: Problem[] = [];

  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      const cycle = [...trail.slice(start), file];
      problems.push({ path: file, what: `a cycle: ${cycle.join(' → ')}` });
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const { path } of files) walk(path, []);
  return problems;
}
