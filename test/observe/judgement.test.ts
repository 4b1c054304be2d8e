import test from 'ava';
import { judgementOf } from '../../src/observe/judgement.js';

const fine = { health: { ready: true, blockers: [] }, open: [], findings: [], dead: [] } as const;

test('the worst of what is wrong is said first, and decides', (t) => {
  t.deepEqual(judgementOf(fine), { level: 'fine', problems: [] });
  const { level, problems } = judgementOf({
    ...fine,
    health: { ready: true, blockers: [{ part: 'listener', reason: 'it hears nothing' }] },
    open: [{ key: 'token 0xAB', state: 'open', reason: 'NOT_VETTED', forMs: 1 }],
    findings: [
      { level: 'person', what: '1 row parked', toDo: 'replay it' },
      { level: 'stopped', what: 'no instance is ready', toDo: 'start one' },
    ],
  });
  t.is(level, 'stopped');
  t.deepEqual(
    problems.map((one) => one.level),
    ['stopped', 'person', 'watch', 'watch'],
  );
  t.regex(problems[2]?.toDo ?? '', /DATABASE_LISTEN_URL/);
});

test('an instance that claims nothing says why and what to do; what is paused or halted is said once, for the fleet', (t) => {
  const blockers = [
    { part: 'breaker', reason: 'NOT_ENOUGH_TRAFFIC' },
    { part: 'paused', reason: 'everything' },
    { part: 'halted', reason: 'halted: late' },
  ] as const;
  const { level, problems } = judgementOf({ ...fine, health: { ready: false, blockers } });
  t.is(level, 'person');
  t.deepEqual(problems.length, 1);
  t.regex(problems[0]?.what ?? '', /^This instance claims nothing: NOT_ENOUGH_TRAFFIC/);
  t.regex(problems[0]?.toDo ?? '', /buy traffic/);
});

test('an instance that died is something to keep an eye on: its rows are in other hands', (t) => {
  const dead = [
    { name: 'i3/7-ab', held: 0, lost: 5 },
    { name: 'i4/7-cd', held: 2, lost: 1 },
    { name: 'i5/7-ef', held: 1, lost: 0 },
    { name: 'i6/7-gh', held: 0, lost: 0 },
  ];
  const { level, problems } = judgementOf({ ...fine, dead });
  t.is(level, 'watch');
  t.deepEqual(
    problems.map(({ what, toDo }) => [what, toDo.split('.')[0]]),
    [
      ['The instance i3/7-ab died.', 'Others took over its 5 rows'],
      ['The instance i4/7-cd died.', 'Others are taking over its 3 rows'],
      ['The instance i5/7-ef died.', 'Others are taking over its row'],
      ['The instance i6/7-gh died.', 'It held no row'],
    ],
  );
});
