// What whoever installs this package gets, which is not what stands in our own folder: overrides and development
// packages are not his.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { pages, ROOT } from '../support/docs.js';

interface Manifest {
  readonly files: readonly string[];
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides?: unknown;
}
interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
  readonly optional?: boolean;
  readonly engines?: { readonly node?: string };
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as T;

const numbers = (text: string): number[] => text.split('.').map((part) => Number.parseInt(part, 10) || 0);

/** Reads what packages write: `>=20`, `^18`, `6.*`, and any of these by `||`. */
function allows(range: string, version: string): boolean {
  return range.split('||').some((one) => {
    const [, sign = '', wanted = ''] = /^\s*(>=|\^)?\s*([\d.x*]+)\s*$/.exec(one) ?? [];
    if (wanted === '') return one.trim() === '*';
    const [mine, theirs] = [numbers(version), numbers(wanted)];
    if (sign !== '>=' && mine[0] !== theirs[0]) return false;
    const apart = mine
      .map((part, place) => part - (theirs[place] ?? 0))
      .find((difference) => difference !== 0);
    return (apart ?? 0) >= 0;
  });
}

test('npm install --engine-strict works on the least Node that we declare', (t) => {
  const { engines, overrides } = read<Manifest>('package.json');
  const least = /^>=(\d+\.\d+)$/.exec(engines.node)?.[1] ?? '';
  t.true(allows('>=20', `${least}.0`) && !allows('>=22', `${least}.0`) && allows('^18 || >=20', '20.19.0'));
  t.is(overrides, undefined, 'they count in our own folder only');
  const { packages } = read<{ packages: Record<string, Locked> }>('package-lock.json');
  const wrong = Object.entries(packages).filter(
    ([, { dev, peer, optional, engines }]) =>
      !dev && !peer && !optional && engines?.node !== undefined && !allows(engines.node, `${least}.0`),
  );
  t.deepEqual(
    wrong.map(([name]) => name),
    [],
  );
});

test('what keeps the packages of packages on that Node, and what our types are made of, comes with us', (t) => {
  const { dependencies } = read<Manifest>('package.json');
  // fastify takes any 6 of it, and the later ones bring a cookie that wants Node 22.
  t.is(dependencies['light-my-request'], '6.6.0');
  // Our declarations name its types, and the package itself has none.
  t.truthy(dependencies['@types/pg']);
});

/** Of README, for a clone, as it says there. */
const OF_A_CLONE = new Set(['CONTRIBUTING.md', 'scripts/bench']);

test('no link of a page that is installed leads to what is not', (t) => {
  const shipped = [...read<Manifest>('package.json').files, 'README.md', 'package.json', 'LICENSE'];
  const isShipped = (file: string): boolean =>
    shipped.some((one) => file === one || file.startsWith(`${one}/`)) && existsSync(path.join(ROOT, file));
  const installed = [...pages(), 'SECURITY.md', 'BENCHMARKS.md', 'CHANGELOG.md'].filter(isShipped);
  t.true(installed.length > 15);
  const dead = installed.flatMap((page) =>
    [...readFileSync(path.join(ROOT, page), 'utf8').matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)]
      .map(([, to = '']) => path.join(path.dirname(page), to))
      .filter((to) => !isShipped(to.replace(/\/$/, '')) && !(page === 'README.md' && OF_A_CLONE.has(to)))
      .map((to) => `${page}: ${to}`),
  );
  t.deepEqual(dead, []);
});
