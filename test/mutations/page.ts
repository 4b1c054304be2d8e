// The page: what it costs the database, and who may see it.
import type { Mutation } from './mutation.js';

export const page: readonly Mutation[] = [
  {
    name: 'page',
    file: 'src/store/samples.ts',
    find: "greatest($1::float8, least(60000, 200 * coalesce((s.sample->>'tookMs')::float8, 0)))",
    put: '$1::float8',
    test: 'test/store/samples.test.ts',
    match: 'the queue is counted once*',
    what: 'a count that takes long is made seldom',
  },
  {
    name: 'page',
    file: 'src/store/samples.ts',
    find: 'rows[0]?.mine ? ',
    put: 'rows[0] ? ',
    test: 'test/store/samples.test.ts',
    match: 'while one session counts*',
    what: 'one session counts at a time',
  },
  {
    name: 'page',
    file: 'src/store/samples.ts',
    find: 'coalesce(s.at > clock_timestamp() or ',
    put: 'coalesce(',
    test: 'test/store/samples.test.ts',
    match: 'samples are kept*',
    what: 'a count from the future is made anew',
  },
  {
    name: 'page',
    file: 'src/admin/server.ts',
    find: ' || isPageFile(url)) return;',
    put: " || isPageFile(url) || url?.startsWith('/api/')) return;",
    test: 'test/admin/server.test.ts',
    match: 'the token guards*',
    what: 'what the page shows is behind the token',
  },
  {
    name: 'page',
    file: 'src/admin/page/files.ts',
    find: "default-src 'none'; ",
    put: '',
    test: 'test/admin/page.test.ts',
    match: 'whatever the page names*',
    what: 'the page loads nothing from elsewhere',
  },
];
