import path from 'node:path';
import { compile } from './test/support/compile.js';
import { measurePace } from './test/support/measure-pace.js';

const folder = compile();

/** What takes longest begins first, or the run's end would wait for it alone. */
const LONGEST = [
  'history/answers',
  'history/holdings',
  'history/ledger-crash',
  'history/failover',
  'process/kill',
  'history/clocks',
  'history/external',
  'history/registry',
  'history/ledger-look',
  'history/ledger-undecided',
  'cli/doctor',
  'cli/demo',
  'process/stop',
  'process/listener',
  'race/race',
  'contract/sandbox',
  'store/subscriber',
  'model/histories',
  'process/crash',
  'history/ledger-participant',
  'history/ops-database',
  'history/ops-breaker',
  'history/ledger-soak',
  'sandbox/execution-times',
];
/** Left to `npm run test:long`: a process for each step, or what hardly ever changes and takes long to compare. */
const ONLY_LONG = [
  '!test/cli/quick-start.test.ts',
  '!test/cli/moving.test.ts',
  '!test/process/fleet.test.ts',
  '!test/proto/generated.test.ts',
];
const place = (file) => {
  const found = LONGEST.findIndex((name) => file.endsWith(`test/${name}.test.ts`));
  return found === -1 ? LONGEST.length : found;
};

export default {
  // `npm run test:page` looks for a browser first.
  files: [
    'test/**/*.test.ts',
    ...(process.env.TEST_BROWSER ? [] : ['!test/browser/**']),
    ...(process.env.TEST_LONG === '1' ? [] : ONLY_LONG),
  ],
  // Nothing is compiled while a test runs: half of the time of most test files was that.
  typescript: {
    extensions: ['ts'],
    rewritePaths: { 'test/': `${path.relative(import.meta.dirname, path.join(folder, 'test'))}/` },
    compile: false,
  },
  environmentVariables: {
    TEST_COMPILED: folder,
    TEST_RUN: `${process.pid}_${Date.now().toString(36)}`,
    TEST_PACE: process.env.TEST_PACE ?? String(await measurePace()),
  },
  workerThreads: false,
  concurrency: 6,
  sortTestFiles: (a, b) => place(a) - place(b) || a.localeCompare(b),
  // Waits have an end of their own (`HANG_MS`), and say what they were for.
  timeout: '10m',
};
