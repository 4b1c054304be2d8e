import test from 'ava';
import { Subject } from 'rxjs';
import { secretTexts } from '../../src/config/secrets.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { createLogger, logEvents } from '../../src/observe/log.js';
import {
  accepted,
  answered,
  claimed,
  completed,
  failed,
  fenced,
  hashOf,
  parked,
  pending,
  settled,
  taken,
} from './samples.js';

type Line = Record<string, unknown> & { readonly level: string; readonly msg: string };

function setup(level = 'debug', secrets: readonly string[] = [], format: 'json' | 'text' = 'json') {
  const text: string[] = [];
  const events$ = new Subject<SubmitterEvent>();
  let now = 0;
  const log = createLogger({
    level,
    format,
    instance: 'one',
    secrets,
    destination: { write: (line) => void text.push(line) },
  });
  logEvents(log, events$, { elapsed: () => now });
  return {
    log,
    text,
    emit: (...events: SubmitterEvent[]) => {
      for (const event of events) events$.next(event);
    },
    elapse: (ms: number) => {
      now += ms;
    },
    lines: () => text.map((line) => JSON.parse(line) as Line),
  };
}

test('a row’s steps are debug, its end is info, what a person must see is louder', (t) => {
  const { emit, lines } = setup('trace');
  emit(
    { kind: 'woken', by: 'bell' },
    claimed(1),
    claimed(0),
    taken(1),
    answered(1, accepted),
    settled(1, completed),
    settled(2, failed),
    settled(3, pending()),
    settled(4, pending({ wait: 'parked' })),
    parked(4, 'UNKNOWN_TOKEN: x'),
    settled(5, completed, 'fenced'),
    fenced(5, 'settle'),
    settled(6, completed, { refused: 'NUL' }),
    { kind: 'alarm', what: 'FOREIGN_ACCEPTANCE', txHash: hashOf(7) },
  );
  t.deepEqual(
    lines().map((line) => `${line.level} ${line.msg}`),
    [
      'trace woken',
      'debug claimed',
      'trace claimed',
      'debug taken',
      'debug answered',
      'info completed',
      'info failed',
      'info will be retried',
      'warn parked: waits for a person',
      'warn the claim was lost: nothing was written',
      'error the database refused this outcome: the row is claimed again once its lease has run out; `refused` says why',
      'error alarm',
    ],
  );
  t.like(lines()[5], {
    instance: 'one',
    row: '1',
    txHash: hashOf(1),
    updateId: 'u1',
    offset: '1152921504606846976',
  });
});

test('a fault has its stack, an outage one line in five seconds', (t) => {
  const { emit, lines, elapse } = setup();
  emit({ kind: 'fault', where: 'submit', error: new TypeError('undefined is not a function') });
  t.is(lines()[0]?.level, 'error');
  t.regex(JSON.stringify(lines()[0]?.err), /TypeError: undefined is not a function\\n +at /);

  const away: SubmitterEvent = {
    kind: 'fault',
    where: 'settle',
    error: new StoreUnavailable('connect ECONNREFUSED'),
  };
  for (let i = 0; i < 50; i++) emit(away);
  elapse(5_000);
  emit(away);
  t.deepEqual(
    lines()
      .slice(1)
      .map(({ level, repeated }) => [level, repeated]),
    [
      ['warn', undefined],
      ['warn', 49],
    ],
  );
});

test('what is tried again for one cause is said at once, then seldom with how often, and each time at debug', (t) => {
  const { emit, lines, elapse } = setup();
  const again = (row: number, lastError: string) => settled(row, pending({ lastError }));
  emit(again(1, 'SEQUENCER_BACKPRESSURE: a'), again(2, 'SEQUENCER_BACKPRESSURE: b'), again(3, 'other thing'));
  elapse(5_000);
  emit(again(4, 'SEQUENCER_BACKPRESSURE: c'));
  t.deepEqual(
    lines().map(({ level, row, reason, repeated }) => [level, row, reason, repeated]),
    [
      ['info', '1', 'SEQUENCER_BACKPRESSURE: a', undefined],
      ['debug', '2', 'SEQUENCER_BACKPRESSURE: b', undefined],
      ['info', '3', 'other thing', undefined],
      ['info', '4', 'SEQUENCER_BACKPRESSURE: c', 1],
    ],
  );
});

test('as text: a level by name, one line an event, whatever is in it, and no secret', (t) => {
  const { log, emit, text } = setup('info', ['pass"word'], 'text');
  emit(settled(1, failed), { kind: 'fault', where: 'submit', error: new TypeError('first\nsecond') });
  log.info({ url: 'pass"word', two: 'a b' }, 'said');
  t.regex(text[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} info {2}failed {2}row=1 {2}txHash=0x[0-9a-f]{64} /);
  t.regex(
    text[1] ?? '',
    /^\S+ error fault {2}where=submit {2}err=\{"type":"TypeError","message":"first\\nsecond"/,
  );
  t.regex(text[2] ?? '', /^\S+ info {2}said {2}url=\S*\*\*\*\S* {2}two="a b"\n$/);
  for (const line of text) t.regex(line, /^[^\n]+\n$/);
});

test('an outage that lasts is said ever less often, at most once a minute, and so is what keeps an instance from claiming', (t) => {
  const { emit, lines, elapse } = setup();
  const away: SubmitterEvent = {
    kind: 'fault',
    where: 'claim',
    error: new StoreUnavailable('connect ECONNREFUSED'),
  };
  const unready: SubmitterEvent = {
    kind: 'not-ready',
    blockers: [{ part: 'participant', reason: 'it requires a token: set CANTON_TOKEN_FILE' }],
  };
  emit(unready);
  for (let second = 0; second < 600; second++) {
    emit(away, { ...away, where: 'look' }, { kind: 'listener', state: 'lost', detail: 'ECONNREFUSED' });
    elapse(1_000);
  }
  const said = (msg: RegExp): number => lines().filter((line) => msg.test(line.msg)).length;
  for (const msg of [/unavailable/, /listener lost/, /not ready/]) {
    t.true(said(msg) >= 9, String(msg));
    t.true(said(msg) <= 14, `${msg}: ${said(msg)}`);
  }
  const before = said(/not ready/);
  emit({ kind: 'ready' });
  elapse(600_000);
  emit({ kind: 'woken', by: 'poll' });
  t.is(said(/not ready/), before, 'over is over');
});

test('tookMs of a row’s end is the row’s own time, from its claim', (t) => {
  const { emit, lines, elapse } = setup('info');
  emit(taken(1));
  elapse(7_345);
  emit(settled(1, completed));
  t.like(lines()[0], { msg: 'completed', tookMs: 7_345 });
});

test('no secret gets into the log, whoever put it into an error', (t) => {
  const secrets = secretTexts(['postgres://api:s3cr%25"t@db/api'], 'admin-token', null);
  const { log, text, emit } = setup('info', secrets);
  emit({ kind: 'fault', where: 'claim', error: new Error('postgres://api:s3cr%25"t@db/api refused') });
  log.warn({ authorization: 'Bearer admin-token', decoded: 's3cr%"t' }, 'x');
  t.is(text.length, 2);
  t.notRegex(text.join(''), /s3cr|admin-token/);
  t.notThrows(() => text.map((line) => JSON.parse(line)));
});
