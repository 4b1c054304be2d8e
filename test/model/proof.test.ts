// The proof that is told is the proof that runs: docs/proof.md and `npm run test:model` speak of the same checks.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';

const PARTIES = ['external', 'hosted'] as const;

const script = new URL('run.sh', import.meta.url).pathname;
const all = execFileSync('bash', [script, '--list'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => {
    const [name = '', expected = ''] = line.split(' ');
    const [party = '', what = '', ...rest] = name.split('.');
    return { party, what, variant: rest.join('.'), expected };
  });
const checks = all.filter(({ party }) => party !== 'holdings');
const told = readFileSync(new URL('../../docs/proof.md', import.meta.url), 'utf8');
const section = (title: string): string => {
  const [, after = ''] = told.split(`### ${title}\n`);
  return after.split(/\n##+ /)[0] ?? '';
};
/** The first column of its table: the names in it, and whether they are marked. */
const rows = (title: string): { readonly names: readonly string[]; readonly marked: boolean }[] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1] ?? '')
    .map((first) => ({
      names: [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
      marked: first.includes('¹'),
    }));
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

test('docs/proof.md lists what holds, for both kinds of party, and nothing else', (t) => {
  const holds = checks.filter(({ what, expected }) => expected === 'holds' && /^[a-z-]+$/.test(what));
  t.deepEqual(
    sorted(rows('What holds').flatMap(({ names }) => names)),
    sorted(holds.map(({ what }) => what)),
  );
  for (const party of PARTIES) {
    const of = holds.filter((check) => check.party === party).map(({ what }) => what);
    t.deepEqual(sorted(of), sorted(holds.map(({ what }) => what)), party);
  }
});

test('docs/proof.md tells what breaks without each guard, and of none that is not taken out', (t) => {
  const broken = checks.filter(({ expected }) => expected === 'broken');
  t.deepEqual(
    sorted(rows('What breaks it').flatMap(({ names }) => names)),
    sorted(broken.map(({ what }) => what)),
  );
});

test('a guard without which money moves twice is told so, the others are marked', (t) => {
  const twice = new Set(checks.flatMap(({ what, variant }) => (variant === 'twice' ? [what] : [])));
  for (const { names, marked } of rows('What breaks it'))
    for (const name of names) t.is(marked, !twice.has(name), name);
});

test('what may go alone is told beside them', (t) => {
  const belts = checks.filter(({ what, expected }) => expected === 'holds' && /^[A-Z]+$/.test(what));
  t.true(belts.length > 0);
  for (const { what } of belts) t.regex(told, new RegExp(`${what}\\b[^|]*holds`));
});

test('of the transfers of one sender side by side it tells what holds, and what breaks without each guard', (t) => {
  const what = all.filter(({ party }) => party === 'holdings').map((check) => check.what);
  t.deepEqual(sorted(rows('Side by side').flatMap(({ names }) => names)), sorted(what));
});
