// What is pinned first, what a start holds against it, and what a claim may wait for.
import type { Mutation } from './mutation.js';

const of = (
  file: string,
  find: string,
  put: string,
  test: string,
  match: string,
  what: string,
): Mutation => ({
  name: 'pinning',
  file,
  find,
  put,
  test,
  match,
  what,
});

export const pinning: readonly Mutation[] = [
  of(
    'src/store/migrate/migrate.ts',
    'changes.sameNonce ?? options.sameNonce',
    'options.sameNonce',
    'test/cli/pins.test.ts',
    'the first migrate pins what a flag says*',
    'a flag counts at the first pin',
  ),
  of(
    'src/store/migrate/migrate.ts',
    'if (pinnedBefore === null) refuseParkWithoutLanes(wanted);',
    '',
    'test/cli/pins.test.ts',
    'the first migrate pins what a flag says*',
    'park needs lanes at the first pin',
  ),
  of(
    'src/path/participant/identify.ts',
    "    ['SAME_NONCE', mine.sameNonce ?? pinned.sameNonce, pinned.sameNonce],\n",
    '',
    'test/cli/run.test.ts',
    'run: another SAME_NONCE*',
    'SAME_NONCE in the environment is held against the pin',
  ),
  of(
    'src/submitter/start-checks.ts',
    'if (lacking.length > 0) return',
    'if (lacking.length < 0) return',
    'test/cli/run.test.ts',
    'run: another SAME_NONCE*',
    'a start asks for its privileges',
  ),
  of(
    'protocol.sql',
    'for update of m skip locked) l;',
    ') l;',
    'test/store/again.test.ts',
    'I4 a claim that ends or parks rows*',
    'a claim waits for no row lock',
  ),
];
