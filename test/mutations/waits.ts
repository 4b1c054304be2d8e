// Tokens from an authority: waits, what they leave behind, and how it is asked.
import { entries, type Mutation } from './mutation.js';

const asked = entries('oauth', 'src/ledger/')('test/ledger/oauth.test.ts');

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
  asked(
    'oauth.ts',
    'new Set([400, 415]);',
    'new Set();',
    'an authority that refuses JSON with 400*',
    'the form of RFC 6749 where JSON is refused',
  ),
  asked(
    'oauth.ts',
    '    encoding = answer.encoding;\n',
    '',
    'an authority that refuses JSON with 415*',
    'remembering which encoding was served',
  ),
  asked(
    'oauth.ts',
    '    ...(scope === undefined ? {} : { scope }),\n',
    '',
    'a scope is asked for where one is set*',
    'the scope',
  ),
  asked(
    'oauth.ts',
    ", formEncoded({ '': clientSecret }).slice(1)]",
    ']',
    'a secret is masked as a form writes it*',
    'masking what a form makes of the secret',
  ),
  asked(
    'oauth.ts',
    'words}`, words ===',
    "''}`, words ===",
    'every failure says what is wrong*',
    "an authority's words in a 200",
  ),
];
