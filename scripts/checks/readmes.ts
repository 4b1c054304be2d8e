// A README that lists the files of its folder is worth reading only as long as it lists all of them, and no others.
import type { Problem, Source } from './sources.js';

/** Folders whose README names every file. */
export const README_FOLDERS = ['src/path', 'src/protocol', 'src/store'] as const;

const FILE = /`([\w./-]+\.ts)`/g;

/** A README names its files relative to its folder; those of other folders relative to `src`. */
export function readmes(sources: readonly Source[]): Problem[] {
  const there = new Set(sources.map(({ path }) => path));
  return README_FOLDERS.flatMap((folder) => {
    const path = `${folder}/README.md`;
    const text = sources.find((source) => source.path === path)?.text;
    if (text === undefined) return [];
    const named = new Set([...text.matchAll(FILE)].map(([, name = '']) => name));
    const unnamed = [...there].filter(
      (file) =>
        file.startsWith(`${folder}/`) && file.endsWith('.ts') && !named.has(file.slice(folder.length + 1)),
    );
    const absent = [...named].filter((name) => !there.has(`${folder}/${name}`) && !there.has(`src/${name}`));
    return [
      ...unnamed.map((file) => ({ path, what: `does not name ${file}` })),
      ...absent.map((name) => ({ path, what: `names ${name}, which is not there` })),
    ];
  });
}

/** A merge that nobody finished: no compiler reads the pages and the SQL that are shipped. */
export function unmerged(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ path, text }) =>
    /^(<{7}|>{7}) /m.test(text) ? [{ path, what: 'has a conflict in it that nobody resolved' }] : [],
  );
}
