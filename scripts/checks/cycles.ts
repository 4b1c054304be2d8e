// No file may reach itself through its imports, type imports included: what is in a cycle can only be read as a whole. In
// some rooms the same holds for folders.
import path from 'node:path';
import { importsOf, type Problem, type Source } from './sources.js';

/** Rooms whose folders are read from the bottom up. */
const LAYERED_ROOMS = ['src/path'] as const;

type Graph = ReadonlyMap<string, readonly string[]>;

export function cycles(sources: readonly Source[]): Problem[] {
  const files: Graph = new Map(
    sources
      .filter((source) => source.path.startsWith('src/'))
      .map((source) => [source.path, importsOf(source).flatMap(({ file }) => (file === null ? [] : [file]))]),
  );
  return [...cyclesOf(files), ...LAYERED_ROOMS.flatMap((room) => cyclesOf(foldersOf(files, room)))];
}

/** Which folder of the room imports from which other. */
function foldersOf(files: Graph, room: string): Graph {
  const inRoom = (file: string): boolean => file.startsWith(`${room}/`);
  const folders = new Map<string, string[]>();
  for (const [file, imported] of files) {
    if (!inRoom(file)) continue;
    const from = path.posix.dirname(file);
    const others = imported.filter(inRoom).map((other) => path.posix.dirname(other));
    folders.set(from, [...(folders.get(from) ?? []), ...others.filter((other) => other !== from)]);
  }
  return folders;
}

function cyclesOf(graph: Graph): Problem[] {
  const done = new Set<string>();
  const problems: Problem[] = [];
  const walk = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) {
      const cycle = [...trail.slice(start), node];
      problems.push({ path: node, what: `a cycle: ${cycle.join(' → ')}` });
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) walk(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return problems;
}
