// Mechanisms move, and what takes them out has to move along: `npm run test:mutations` is useless otherwise.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { mutations } from './all.js';

test('every mechanism that can be taken out is where it is said to be, once, and its test is there', (t) => {
  const lost = mutations.flatMap(({ name, what, file, find, test: where, match }) => {
    const places = readFileSync(file, 'utf8').split(find).length - 1;
    const begin = match.split('*')[0]?.trimEnd() ?? '';
    const titles = readFileSync(where, 'utf8').replaceAll(/\$\{[^}]*\}/g, '');
    // Titles that are put together at run time are known by their first word.
    const there = titles.includes(begin) || titles.includes(`${begin.split(' ')[0]} `);
    return [
      ...(places === 1 ? [] : [`${name} ${what}: ${places} places like that in ${file}`]),
      ...(there ? [] : [`${name} ${what}: no test like ${match} in ${where}`]),
    ];
  });
  t.deepEqual(lost, []);
});

test('no mechanism is taken out twice', (t) => {
  const seen = mutations.map((one) => JSON.stringify(one));
  t.deepEqual(
    seen.filter((one, at) => seen.indexOf(one) < at),
    [],
  );
});
