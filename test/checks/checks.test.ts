import test from 'ava';
import { codeOf, importsOf } from '../../scripts/checks/sources.js';
import { findings } from '../../scripts/checks.js';

/** What the checks say of these files alone. */
const said = (files: Readonly<Record<string, string>>, exceptions = {}): string[] =>
  findings(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    exceptions,
  );

test('a tidy file passes', (t) => {
  t.deepEqual(
    said({ 'src/core/a.ts': "import { b } from './b.js';\n", 'src/core/b.ts': 'export const b = 1;\n' }),
    [],
  );
});

test('sizes: 300 lines and no more, 200 for the composition root; more than 250 of code only with a reason', (t) => {
  const commented = `// Long because it is a list.\n${'x;\n'.repeat(299)}`;
  t.deepEqual(said({ 'src/core/a.ts': commented, 'test/a.test.ts': 'x;\n'.repeat(900) }), []);
  t.deepEqual(said({ 'src/core/a.ts': `${'x;\n'.repeat(250)}${'// why\n'.repeat(50)}` }), []);
  t.regex(
    said({ 'src/core/a.ts': 'x;\n'.repeat(251) })[0] ?? '',
    /^sizes: .*: 251 lines of code: split it, or say/,
  );
  t.regex(
    said({ 'src/core/a.ts': 'x;\n'.repeat(301) })[0] ?? '',
    /^sizes: src\/core\/a\.ts: 301 lines, of at most 300/,
  );
  t.regex(said({ 'src/submitter.ts': 'x;\n'.repeat(201) })[0] ?? '', /of at most 200/);
});

const to = (specifier: string): string => `import { x } from '${specifier}';\n`;
for (const [from, specifier, file] of [
  ['src/core/a.ts', '../runtime/b.js', 'src/runtime/b.ts'],
  ['src/runtime/a.ts', '../observe/b.js', 'src/observe/b.ts'],
  ['src/transfer/a.ts', '../path/b.js', 'src/path/b.ts'],
  ['src/path/a.ts', '../store/b.js', 'src/store/b.ts'],
  ['src/path/a.ts', '../ledger/b.js', 'src/ledger/b.ts'],
  ['src/store/a.ts', '../ledger/b.js', 'src/ledger/b.ts'],
  ['src/admin/a.ts', '../path/b.js', 'src/path/b.ts'],
  ['src/admin/a.ts', '../submitter.js', 'src/submitter.ts'],
  ['src/submitter.ts', './cli/b.js', 'src/cli/b.ts'],
  ['src/submitter.ts', './sandbox/b.js', 'src/sandbox/b.ts'],
  ['src/sandbox/a.ts', '../core/b.js', 'src/core/b.ts'],
  ['src/core/a.ts', '../../test/b.js', 'test/b.ts'],
] as const) {
  test(`layers: ${from} may not import ${file}, not even a type`, (t) => {
    for (const text of [
      to(specifier),
      to(specifier).replace('import', 'import type'),
      `type X = import('${specifier}').x;`,
    ]) {
      t.true(
        said({ [from]: text, [file]: '' }).some((line) => line.startsWith(`layers: ${from}: `)),
        text,
      );
    }
  });
}

test('layers: the cli may import the sandbox, and everybody what lies below', (t) => {
  t.deepEqual(said({ 'src/cli/a.ts': to('../sandbox/b.js'), 'src/sandbox/b.ts': '' }), []);
  t.deepEqual(said({ 'src/path/a.ts': to('../core/b.js'), 'src/core/b.ts': '' }), []);
});

test('layers: the hash that outside vectors prove is the one thing the sandbox shares', (t) => {
  const from = (file: string) =>
    said({ 'src/sandbox/grpc/a.ts': to(`../../transfer/${file}.js`), [`src/transfer/${file}.ts`]: '' });
  t.deepEqual(from('prepared-hash'), []);
  t.regex(from('inspect')[0] ?? '', /sandbox may not import transfer/);
  t.regex(
    said({ 'src/transfer/a.ts': to('@canton-network/core-tx-visualizer') })[0] ?? '',
    /only be used by tests/,
  );
});

test('layers: files that are not there, and layers that nobody has heard of', (t) => {
  t.regex(said({ 'src/core/a.ts': to('./gone.js') })[0] ?? '', /which is not there/);
  t.regex(said({ 'src/helpers/a.ts': '' })[0] ?? '', /helpers is not a layer/);
});

test('layers: a library stays where it belongs; an optional one is not loaded at start', (t) => {
  t.regex(said({ 'src/path/a.ts': to('pg') })[0] ?? '', /pg may only be used by store/);
  t.regex(said({ 'src/core/a.ts': to('#proto/x.js') })[0] ?? '', /may only be used by ledger and sandbox/);
  t.regex(said({ 'src/cli/a.ts': to('viem') })[0] ?? '', /viem is optional/);
  t.deepEqual(
    said({ 'src/cli/a.ts': "import type { Hex } from 'viem';\nconst v = await import('viem');\n" }),
    [],
  );
  t.deepEqual(said({ 'src/store/a.ts': to('pg') }), []);
});

test('cycles: type imports count', (t) => {
  const found = said({
    'src/core/a.ts': "import type { B } from './b.js';\n",
    'src/core/b.ts': "export { c } from './c.js';\n",
    'src/core/c.ts': "const a = await import('./a.js');\n",
  });
  t.deepEqual(found, [
    'cycles: src/core/a.ts: a cycle: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts',
  ]);
});

test('cycles: the folders of the path import one way too', (t) => {
  const files = { 'src/path/a.ts': to('./look/b.js'), 'src/path/look/b.ts': '', 'src/path/c.ts': '' };
  t.deepEqual(said(files), []);
  t.deepEqual(said({ ...files, 'src/path/look/b.ts': to('../c.js') }), [
    'cycles: src/path: a cycle: src/path → src/path/look → src/path',
  ]);
});

test('sql: statements stay in the store; a sentence is not taken for a statement', (t) => {
  for (const statement of [
    'select 1 from mempool',
    'SELECT a,\n b FROM mempool',
    "insert into mempool values ('x')",
    'update mempool m set x = 1',
    'delete from users',
    'create unique index x on y',
    'select pg_notify($1, $2)',
    'listen mempool_wakeup_v1',
  ]) {
    t.is(said({ 'src/path/a.ts': `const s = \`${statement}\`;` }).length, 1, statement);
    t.deepEqual(said({ 'src/store/a.ts': `const s = \`${statement}\`;` }), []);
  }
  t.is(
    said({ 'src/path/a.ts': 'const s = `select $' + '{columns} from $' + '{table}`;' }).length,
    1,
    'in pieces too',
  );
  t.deepEqual(said({ 'src/cli/a.ts': "say('select rows with --hash'); // select x from y\n" }), []);
});

test('clocks: the machine’s time is asked for in one place', (t) => {
  for (const code of [
    'const a = Date.now();',
    'const a = new Date();',
    'const now = Date.now;',
    'const a = `$' + '{Date.now()}`;',
  ]) {
    t.is(said({ 'src/path/a.ts': code }).length, 1, code);
    t.deepEqual(said({ 'src/runtime/clock.ts': code, 'src/sandbox/a.ts': code }), []);
  }
  t.deepEqual(
    said({ 'src/path/a.ts': "// finer than Date.now()\nconst a = new Date(5); const b = 'Date.now()';" }),
    [],
  );
});

test('weakSignals: no signal that a collector may silence', (t) => {
  const code = 'const s = AbortSignal.any([a, b]);';
  t.regex(said({ 'src/path/a.ts': code })[0] ?? '', /^weakSignals: .*runtime\/limit\.ts/);
  t.deepEqual(said({ 'src/path/a.ts': '// not AbortSignal.any\n' }), []);
});

test('sleeps: tests wait for events', (t) => {
  for (const code of [
    'await new Promise((resolve) => setTimeout(resolve, 5));',
    "import { setTimeout as wait } from 'node:timers/promises';",
    "await query('select pg_sleep(1)');",
    'await pause(5);',
  ]) {
    t.is(said({ 'test/a.test.ts': code }).length, 1, code);
    t.deepEqual(said({ 'test/support/a.ts': code, 'src/core/a.ts': '' }), []);
  }
  t.deepEqual(said({ 'test/a.test.ts': "void query('select pg_sleep(600)');" }), []);
  t.deepEqual(said({ 'test/a.test.ts': "// no setTimeout(\nt.is(slept('setTimeout(1)'), 1);" }), []);
});

test('readmes: the READMEs of path, protocol and store name all files of their folders, and no others', (t) => {
  const files = { 'src/path/a.ts': '', 'src/path/look/b.ts': '', 'src/protocol/c.ts': '' };
  const readme = (text: string) => said({ ...files, 'src/path/README.md': text });
  t.deepEqual(readme('`a.ts`, then `look/b.ts`, which asks `protocol/c.ts`'), []);
  t.deepEqual(readme('`a.ts` and look/b.ts'), [
    'readmes: src/path/README.md: does not name src/path/look/b.ts',
  ]);
  t.deepEqual(readme('`a.ts`, `look/b.ts`, `gone.ts`'), [
    'readmes: src/path/README.md: names gone.ts, which is not there',
  ]);
  t.regex(
    said({ ...files, 'src/protocol/README.md': '`a.ts`' }).join('; '),
    /does not name .*c\.ts; .*names a\.ts/,
  );
});

test('an exception needs a reason, and a reason a problem', (t) => {
  const exceptions = { clocks: { 'src/path/a.ts': 'because' } };
  t.deepEqual(said({ 'src/path/a.ts': 'Date.now();' }, exceptions), []);
  t.deepEqual(said({ 'src/path/a.ts': '' }, exceptions), [
    'clocks: src/path/a.ts: the exception for it is not needed any more',
  ]);
});

test('code is what is left without comments and quotes, whatever is nested in templates', (t) => {
  const code = codeOf({
    path: 'a.ts',
    text: 'const a = `x $' + '{b(`y $' + "{c} z`)} w` + d({ e: 'f' }); // g\n/* h */ i;",
  });
  t.is(code.replaceAll(' ', ''), 'consta=b(c)+d({e:});i;');
  t.deepEqual(
    importsOf({ path: 'src/a/b.ts', text: "import 'x';\nexport * from './y.js';\nimport('../z.js');" }).map(
      ({ file, specifier }) => file ?? specifier,
    ),
    ['x', 'src/a/y.ts', 'src/z.ts'],
  );
});

test('english: phrases that crept in before are refused in comments, messages and titles', (t) => {
  for (const text of [
    '// Of a row that is gone.\n',
    '/** Of what is left. */\n',
    "throw new Error('0x is no address');\n",
    "throw new Error('an amount that is none');\n",
    '// What was buried.\n',
  ]) {
    for (const file of ['src/ledger/a.ts', 'test/a.test.ts', 'page/a.js'])
      t.true((said({ [file]: text })[0] ?? '').startsWith(`english: ${file}: `), text);
  }
  t.regex(said({ 'test/a.test.ts': "test('a look is no attempt', check);\n" })[0] ?? '', /^english: test/);
  t.deepEqual(
    said({
      'src/ledger/a.ts': "// There is no row.\n// It is no longer there.\nconst x = 'is not an address';\n",
    }),
    [],
  );
});

test('unmerged: a page or an SQL file in which a merge was not finished', (t) => {
  const half = `${'<'.repeat(7)} HEAD\nthis\n${'='.repeat(7)}\nthat\n${'>'.repeat(7)} other\n`;
  t.deepEqual(said({ 'CHANGELOG.md': half, 'docs/a.md': 'a title\n=======\n' }), [
    'unmerged: CHANGELOG.md: has a conflict in it that nobody resolved',
  ]);
});
