import test from 'ava';
import { backoffMs, nextLookMs } from '../../src/protocol/backoff.js';
import { type Attempted, afterDeath, type Decidable, decide } from '../../src/protocol/decide.js';
import type { RefusalKind } from '../../src/protocol/outcome.js';

const attempt = (over: Partial<Attempted> = {}): Attempted => ({
  attempts: 1,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: 20 },
  probeMs: 5_000,
  random: () => 0.5,
  walletMessage: (id) => `wallet: ${id}`,
  held: true,
  note: null,
  ...over,
});

const refused = (kind: RefusalKind, retryAfterMs: number | null = null): Decidable => ({
  kind: 'refused',
  refusal: { kind, blame: 'all', errorId: 'SOME_ERROR', detail: 'said the ledger', retryAfterMs },
});

test('an acceptance completes the row, with what people should know of it', (t) => {
  const accepted = { kind: 'accepted', updateId: 'u1', offset: 7n } as const;
  const completed = { kind: 'completed', updateId: 'u1', offset: 7n } as const;
  t.deepEqual(decide(accepted, attempt()), { ...completed, note: null });
  t.deepEqual(decide(accepted, attempt({ note: 'OFFERED' })), { ...completed, note: 'OFFERED' });
});

test('I5 only a refusal for good becomes failed', (t) => {
  const kinds: RefusalKind[] = ['for-good', 'try-again', 'suspect', 'unconfirmed', 'overload', 'not-the-row'];
  t.deepEqual(
    kinds.map((kind) => decide(refused(kind), attempt()).kind),
    ['failed', 'pending', 'pending', 'pending', 'pending', 'pending'],
  );
});

test('what may be the row’s own counts only where it is held against it, and waits for a probe at least', (t) => {
  for (const kind of ['suspect', 'unconfirmed'] as const) {
    t.like(decide(refused(kind), attempt()), { record: 'clear', wait: 5_000, attempts: 0 }, kind);
    t.like(decide(refused(kind), attempt({ attempts: 20 })), { record: 'clear', wait: 'parked' }, kind);
    const everybodys = decide(refused(kind), attempt({ attempts: 500, held: false }));
    t.like(everybodys, { record: 'clear', wait: 7_500, attempts: -1 }, kind);
  }
});

test('overload gives the attempt back, and waits no longer than a probe, until it is held against the row', (t) => {
  const verdict = decide(refused('overload'), attempt({ attempts: 500, held: false }));
  t.like(verdict, { record: 'clear', wait: 2_750, attempts: -1 });
  t.like(decide(refused('overload', 9_000), attempt({ held: false })), { wait: 9_000 });
  t.like(decide(refused('overload'), attempt()), { record: 'clear', wait: 5_000, attempts: 0 });
  t.like(decide(refused('overload'), attempt({ attempts: 20 })), { record: 'clear', wait: 'parked' });
});

test('a death at the last attempt parks, with nothing under way; an attempt that failed through no fault of the row is given back', (t) => {
  const dead = (attempts: number, kind: RefusalKind | null = null) =>
    afterDeath(
      kind === null ? null : { kind, blame: 'all', errorId: 'X', detail: 'y', retryAfterMs: null },
      attempt({ attempts }),
    );
  t.like(dead(19), { record: 'clear', wait: 'now', attempts: 0 });
  t.like(dead(20), { record: 'clear', wait: 'parked' });
  t.regex(dead(20).lastError ?? '', /^DEAD: .*20 attempts/);
  t.like(dead(20, 'try-again'), { record: 'clear', wait: 'parked' });
  for (const kind of ['not-the-row', 'overload', 'unconfirmed'] as const)
    t.like(dead(500, kind), { record: 'clear', wait: 7_500, attempts: -1 }, kind);
});

test('I4 unknown keeps the record and counts nothing, however often', (t) => {
  const verdict = decide({ kind: 'unknown', detail: 'deadline' }, attempt({ attempts: 500 }));
  t.like(verdict, { kind: 'pending', record: 'keep', wait: 'now', attempts: 0 });
});

test('not sent clears the record and gives the attempt back', (t) => {
  t.like(decide({ kind: 'not-sent', detail: 'not ready' }, attempt()), {
    kind: 'pending',
    record: 'clear',
    wait: 'now',
    attempts: -1,
  });
});

test("what is not the row's fault gives the attempt back and never parks", (t) => {
  const verdict = decide(refused('not-the-row'), attempt({ attempts: 500 }));
  t.like(verdict, { kind: 'pending', record: 'clear', attempts: -1, wait: 7_500 });
});

test('attempts used up park the row, never fail it', (t) => {
  t.like(decide(refused('try-again'), attempt({ attempts: 19 })), { kind: 'pending', record: 'clear' });
  t.like(decide(refused('try-again'), attempt({ attempts: 20 })), {
    kind: 'pending',
    record: 'clear',
    wait: 'parked',
  });
});

test('backoff doubles up to its cap, with full jitter, and waits at least what the ledger asked', (t) => {
  const policy = { minMs: 500, maxMs: 60_000, maxAttempts: 20 };
  t.is(
    backoffMs(3, policy, () => 0),
    500,
  );
  t.is(
    backoffMs(1, policy, () => 1),
    1_000,
  );
  t.is(
    backoffMs(3, policy, () => 1),
    4_000,
  );
  t.is(
    backoffMs(40, policy, () => 1),
    60_000,
  );
  t.is(
    backoffMs(1, policy, () => 0, 9_000),
    9_000,
  );
});

test('an undecided row is looked at again after as long as it is overdue, within 5 and 60 s', (t) => {
  t.deepEqual(
    [-10_000, 1_000, 20_000, 3_600_000, null].map(nextLookMs),
    [5_000, 5_000, 20_000, 60_000, 60_000],
  );
});
