import path from 'node:path';
import { compile } from './test/support/compile.js';

const folder = compile();

export default {
  files: ['test/**/*.test.ts'],
  // Nothing is compiled while a test runs: half of the time of most test files was that.
  typescript: {
    extensions: ['ts'],
    rewritePaths: { 'test/': `${path.relative(import.meta.dirname, path.join(folder, 'test'))}/` },
    compile: false,
  },
  environmentVariables: { TEST_COMPILED: folder },
  workerThreads: false,
  concurrency: 4,
  // Waits have an end of their own (`HANG_MS`), and say what they were for.
  timeout: '10m',
};
