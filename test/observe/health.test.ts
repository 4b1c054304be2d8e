import test from 'ava';
import { Subject } from 'rxjs';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createHealth } from '../../src/observe/health.js';
import { createInstanceState } from '../../src/observe/instance.js';
import { completed, pending, settled, taken } from './samples.js';

function setup() {
  const events$ = new Subject<SubmitterEvent>();
  const health = createHealth(events$);
  return {
    health,
    state: createInstanceState(events$),
    parts: () => health().blockers.map(({ part }) => part),
    emit: (...events: SubmitterEvent[]) => {
      for (const event of events) events$.next(event);
    },
  };
}

const open = (key: string | null): SubmitterEvent => ({
  kind: 'breaker',
  state: 'open',
  key,
  reason: 'NO_TRAFFIC',
});

test('an instance is not ready before it has found its participant, and again when it loses it', (t) => {
  const { health, emit } = setup();
  t.false(health().ready);
  emit({ kind: 'ready' });
  t.deepEqual(health(), { ready: true, blockers: [] });
  emit({ kind: 'not-ready', blockers: [{ part: 'participant', reason: 'another one' }] });
  t.deepEqual(health(), { ready: false, blockers: [{ part: 'participant', reason: 'another one' }] });
});

test('each part comes and goes by itself', (t) => {
  const { health, parts, emit } = setup();
  emit({ kind: 'ready' }, open(null), { kind: 'database', state: 'lost', detail: 'gone' });
  t.deepEqual(parts(), ['breaker', 'database']);
  emit({ kind: 'breaker', state: 'probing', key: null, reason: 'NO_TRAFFIC' });
  t.false(health().ready);
  emit({ kind: 'breaker', state: 'closed', key: null, reason: '' });
  t.deepEqual(parts(), ['database']);
  emit({ kind: 'database', state: 'back', detail: '' });
  t.true(health().ready);
  emit({ kind: 'stopping', inFlight: 0 });
  t.deepEqual(parts(), ['stopping']);
});

test('when the participant’s check passes, other troubles stay', (t) => {
  const { parts, emit } = setup();
  emit({ kind: 'ready' }, { kind: 'database', state: 'lost', detail: 'it refuses every claim' });
  emit({ kind: 'stopping', inFlight: 1 });
  emit({ kind: 'not-ready', blockers: [{ part: 'participant', reason: 'lost' }] }, { kind: 'ready' });
  t.deepEqual(parts(), ['database', 'stopping']);
});

test('one sender’s trouble does not make the instance unready', (t) => {
  const { health, emit } = setup();
  emit({ kind: 'ready' }, open('sender:a'));
  t.true(health().ready);
});

test('a deaf listener is reported, but the instance stays ready: the poll finds rows', (t) => {
  const { health, parts, emit } = setup();
  emit({ kind: 'ready' }, { kind: 'canary', tookMs: null });
  t.true(health().ready);
  t.deepEqual(parts(), ['listener']);
  emit({ kind: 'canary', tookMs: 3 });
  t.deepEqual(parts(), []);
});

test('a mark that cannot be shown, and a pause, say how they end', (t) => {
  const { health, emit } = setup();
  emit({ kind: 'ready' }, { kind: 'mark', state: 'unprovable' });
  const parts = [
    { scope: 'all', address: '', reason: 'upgrade' },
    { scope: 'token', address: '70c', reason: 'asked' },
  ] as const;
  emit({ kind: 'paused', parts });
  const [mark, paused] = health().blockers;
  // Once there was a mark, the operator's word does not count any more.
  t.regex(mark?.reason ?? '', /^(?!.*CANTON_PARTICIPANT_ID).*grant the rights again.*`migrate --remark`/);
  t.is(
    paused?.reason,
    'everything (upgrade; `canton-submitter resume --all` ends it); token 0x70c (asked; `canton-submitter resume --token 0x70c` ends it)',
  );
});

test('the instance’s part of the status counts what it did and holds', (t) => {
  const { state, emit } = setup();
  emit(taken(1), taken(2), taken(3, { look: true }), settled(1, completed), settled(2, pending()), {
    kind: 'alarm',
    what: 'look here',
    txHash: null,
  });
  t.like(state(), { inFlight: { submissions: 0, looks: 1 }, alarms: ['look here'], breaker: 'closed' });
  t.like(state().sinceStart, { claimed: 3, completed: 1, retried: 1, alarms: 1 });
});
