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

/** The folder of the compiled sources, tests included. */
export const compile = () =>
  compileTree({
    name: 'canton-submitter-tests',
    folders: ['src', 'test', 'scripts'],
    isStarted: (file) => file.endsWith('.test.ts') || STARTED.has(file),
    asTheyAre: ['scripts/compile.js', 'test/support/compile.js', 'test/support/measure-pace.js'],
  });
