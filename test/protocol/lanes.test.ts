// What a reservation means to a row that begins.
import test from 'ava';
import type { RowId } from '../../src/core/ids.js';
import { isReserved, reservedBy } from '../../src/protocol/lanes.js';

const known = { id: '1' as RowId, inputs: ['a', 'b'] };
const other = { id: '2' as RowId, inputs: ['c'] };
const unknown = { id: '3' as RowId, inputs: null };

test('I6 what undecided rows spend is reserved; what nobody remembers may be any holding', (t) => {
  const of = (...reservations: Parameters<typeof isReserved>[0]) =>
    ['a', 'c', 'd'].filter(isReserved(reservations));
  t.deepEqual(of(), []);
  t.deepEqual(of(known), ['a']);
  t.deepEqual(of(known, other), ['a', 'c']);
  t.deepEqual(of(known, unknown), ['a', 'c', 'd']);
});

test('I6 a row waits on those that spend what it could begin with, and on those of which nobody knows', (t) => {
  const all = [known, other, unknown];
  t.deepEqual(reservedBy(all, ['b']), ['1', '3']);
  t.deepEqual(reservedBy(all, ['c', 'd']), ['2', '3']);
  t.deepEqual(reservedBy([known, other], ['d']), []);
});
