// What a test run starts from: its some three hundred processes start from files that are put together already.
import { compileTree } from '../../scripts/compile.js';

const STARTED = new Set([
  'src/cli/main.ts',
  'src/cli/demo/child.ts',
  'src/cli/support/throwaway-postgres-child.ts',
  'test/cli/host.ts',
  'test/race/worker.ts',
  'test/support/ask-version.ts',
  'test/support/run-guard.ts',
]);

/** The one test file that will run, where others are not worth putting together. */
const only = process.env.TEST_ONLY ?? '';

/** The folder of the compiled sources, tests included. */
export const compile = () =>
  compileTree({
    of: only,
    name: 'canton-submitter-tests',
    folders: ['src', 'test', 'scripts'],
    isStarted: (file) => STARTED.has(file) || (only === '' ? file.endsWith('.test.ts') : file === only),
    asTheyAre: ['scripts/compile.js', 'test/support/compile.js', 'test/support/measure-pace.js'],
  });
