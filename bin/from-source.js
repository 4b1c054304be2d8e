// Starts the command line of a clone: its TypeScript is put together once, and again when it has changed.
import { pathToFileURL } from 'node:url';
import { compileTree } from '../scripts/compile.js';

const STARTED = new Set([
  'src/cli/main.ts',
  'src/cli/demo/child.ts',
  'src/cli/support/throwaway-postgres-child.ts',
]);

/** The URL of the command line's module. Where the cache cannot be written, it is transpiled by every process. */
export async function fromSource() {
  try {
    const folder = compileTree({
      name: 'canton-submitter',
      folders: ['src'],
      isStarted: (file) => STARTED.has(file),
      asTheyAre: [],
    });
    return pathToFileURL(`${folder}/src/cli/main.js`).href;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
    const { register } = await import('tsx/esm/api');
    register();
    return new URL('../src/cli/main.ts', import.meta.url).href;
  }
}
