// Waits, and what they leave behind.
import type { Mutation } from './mutation.js';

export const waits: readonly Mutation[] = [
  {
    name: 'stop',
    file: 'src/ledger/oauth.ts',
    find: '      done.abort();\n',
    put: '',
    test: 'test/ledger/oauth.test.ts',
    match: 'a wait that is over leaves no timer behind*',
    what: 'the end of the timer of a wait for a token',
  },
];
