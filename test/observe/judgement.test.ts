import test from 'ava';
import { judgementOf } from '../../src/observe/judgement.js';

const fine = { health: { ready: true, blockers: [] }, open: [], findings: [] } as const;

test('the worst of what is wrong is said first, and decides', (t) => {
  t.deepEqual(judgementOf(fine), { level: 'fine', problems: [] });
  const { level, problems } = judgementOf({
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

test('an instance that claims nothing says why and what to do; what is paused is said once, for the fleet', (t) => {
  const blockers = [
    { part: 'breaker', reason: 'NOT_ENOUGH_TRAFFIC' },
    { part: 'paused', reason: 'everything' },
  ] as const;
  const { level, problems } = judgementOf({ ...fine, health: { ready: false, blockers } });
  t.is(level, 'person');
  t.deepEqual(problems.length, 1);
  t.regex(problems[0]?.what ?? '', /^This instance claims nothing: NOT_ENOUGH_TRAFFIC/);
  t.regex(problems[0]?.toDo ?? '', /buy traffic/);
});
