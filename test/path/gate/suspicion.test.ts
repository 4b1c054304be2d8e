import test from 'ava';
import {
  allConfirmed,
  type Confirmations,
  noSuspicion,
  onConfirmed,
  onMalformed,
  onMissed,
  onTokenServed,
  type Suspicion,
} from '../../../src/path/gate/refusals.js';

test('one wrong setting: from the third row on, nothing is held against any of them', (t) => {
  let suspicion: Suspicion = noSuspicion;
  const whose = Array.from({ length: 200 }, (_, n) => {
    const answer = onMalformed(suspicion, `row${n % 100}`);
    suspicion = answer.suspicion;
    return answer.whose;
  });
  t.deepEqual(whose.slice(0, 2), ['row', 'row']);
  t.true(whose.slice(2).every((one) => one === 'token'));
});

test('one odd row counts, however often, alone or among others that are served', (t) => {
  let suspicion: Suspicion = noSuspicion;
  for (let n = 0; n < 30; n++) {
    const answer = onMalformed(suspicion, 'odd');
    suspicion = n % 3 === 0 ? onTokenServed(answer.suspicion) : answer.suspicion;
    t.is(answer.whose, 'row');
  }
});

test('three odd rows are doubted once: what was refused before the token was served is theirs', (t) => {
  let suspicion: Suspicion = noSuspicion;
  const refuse = (row: string) => {
    const answer = onMalformed(suspicion, row);
    suspicion = answer.suspicion;
    return answer.whose;
  };
  t.deepEqual(['a', 'b', 'c'].map(refuse), ['row', 'row', 'token']);
  suspicion = onTokenServed(suspicion);
  t.deepEqual(['a', 'b', 'c', 'a', 'b', 'c'].map(refuse), ['row', 'row', 'row', 'row', 'row', 'row']);
});

const miss = (state: Confirmations, row: string) => onMissed(state, row);

test('an outage of the network is held against nobody, and widespread from the third row on', (t) => {
  let state = allConfirmed;
  const whose = Array.from({ length: 60 }, (_, n) => {
    const answer = miss(state, `row${n % 12}`);
    state = answer.state;
    return answer.whose;
  });
  t.deepEqual(whose.slice(0, 2), ['unknown', 'unknown']);
  t.true(whose.slice(2).every((one) => one === 'everybody'));
});

test('one row alone proves nothing, neither of itself nor of the others', (t) => {
  let state = allConfirmed;
  for (let n = 0; n < 30; n++) {
    const answer = miss(state, 'slow');
    state = answer.state;
    t.is(answer.whose, 'unknown');
  }
});

test('a receiver whose participant is gone: it counts while the others are served', (t) => {
  let state = miss(allConfirmed, 'dead').state;
  for (let n = 0; n < 20; n++) {
    state = onConfirmed(onConfirmed(state));
    const answer = miss(state, 'dead');
    state = answer.state;
    t.is(answer.whose, 'row');
  }
});

test('where most of the others are not served either, it is not held against the row', (t) => {
  let state = miss(allConfirmed, 'one').state;
  for (let n = 0; n < 20; n++) {
    state = onConfirmed(miss(miss(state, `x${n}`).state, `y${n}`).state);
    const answer = miss(state, 'one');
    state = answer.state;
    t.is(answer.whose, 'unknown');
  }
});
