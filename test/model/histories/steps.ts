// What a history is made of, and how it is drawn. Steps that mean nothing where they stand change nothing, so that a
// history can be cut anywhere while a failure is shrunk.
import fc from 'fast-check';
import type { Lanes } from '../../../src/protocol/lanes.js';

export interface RowSetup {
  /** All of them have one party. */
  readonly sender: number;
  readonly hosted: boolean;
  readonly amount: number;
  readonly steps: 1 | 2;
  /** Pending when the old submitter was stopped, which had sent it, or had not; or it arrives later. */
  readonly before: 'new' | 'sent' | 'unsent' | 'later';
}

export interface Setup {
  readonly rows: readonly RowSetup[];
  readonly coins: readonly number[];
  /** With `sender` each row has a sender of its own. */
  readonly lanes: Lanes;
  readonly dedup: boolean;
  readonly failovers: boolean;
  /** A failover may lose the insert too, and the row is inserted again: here deduplication has to serve. */
  readonly insertsLost: boolean;
  /** A completion is marked already; else it is the ledger's very begin. */
  readonly marked: boolean;
  readonly databaseAheadMs: number;
  readonly ledgerAheadMs: number;
}

export type Step =
  /** One of an instance's tasks goes on, or it begins another, with a look or not. Its luck comes last. */
  | {
      readonly do: 'act';
      readonly who: number;
      readonly task: number;
      readonly look: boolean;
      readonly times: number;
      readonly luck: number;
    }
  | { readonly do: 'die'; readonly who: number }
  | { readonly do: 'lapse'; readonly row: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'wait-for-bound'; readonly nth: number; readonly past: boolean }
  /** All the way to a verdict, as it mostly goes. */
  | { readonly do: 'deliver'; readonly nth: number }
  | { readonly do: 'arrive'; readonly nth: number; readonly fate: 'taken' | 'backpressure' | 'for-good' }
  | { readonly do: 'sequence'; readonly nth: number; readonly backpressure: boolean }
  | { readonly do: 'verdict'; readonly contention: boolean }
  | { readonly do: 'copy'; readonly nth: number }
  | { readonly do: 'checkpoint' }
  | { readonly do: 'foreign'; readonly row: number }
  | { readonly do: 'rival' }
  | { readonly do: 'earn' }
  | { readonly do: 'marks'; readonly who: number }
  | { readonly do: 'connect'; readonly who: number; readonly to: 'ours' | 'another' | 'yesterday' }
  | { readonly do: 'users'; readonly row: number; readonly what: 'party' | 'key' }
  | { readonly do: 'replay' }
  | { readonly do: 'failover'; readonly to: 'any' | 'claim'; readonly lag: number; readonly aheadMs: number }
  | { readonly do: 'insert'; readonly row: number };

export interface History {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

/** Half of what may lie between two clocks, either way. */
const ahead = fc.constantFrom(0, -25_000, 25_000);

const rowOf = (...before: RowSetup['before'][]): fc.Arbitrary<Omit<RowSetup, 'sender'>> =>
  fc.record({
    hosted: fc.boolean(),
    amount: fc.constantFrom(5, 8, 13),
    steps: fc.constantFrom(1, 1, 1, 1, 1, 2),
    before: fc.constantFrom(...before),
  });

type Kind = Pick<Setup, 'lanes' | 'dedup' | 'failovers' | 'insertsLost'>;
const setup = (kind: Kind): fc.Arbitrary<Setup> =>
  fc
    .record({
      ...(kind.lanes === 'holdings' ? sideBySide : apart),
      marked: fc.constantFrom(true, true, false),
      databaseAheadMs: ahead,
      ledgerAheadMs: ahead,
    })
    .map(({ rows, senders, ...rest }) => ({
      ...rest,
      ...kind,
      rows: rows.map((one, id) => ({ ...one, sender: senders[id] ?? id })),
    }));

const apart = {
  rows: fc.array(rowOf('new', 'new', 'new', 'new', 'new', 'sent', 'unsent'), { minLength: 1, maxLength: 2 }),
  senders: fc.constant<number[]>([]),
  coins: fc.constantFrom<number[]>([10, 10], [20], [8, 8, 8], [4]),
};
/** Mostly of one sender. */
const sideBySide = {
  rows: fc.array(rowOf('new', 'new', 'new', 'new', 'new', 'later', 'later', 'sent', 'unsent'), {
    minLength: 2,
    maxLength: 4,
  }),
  senders: fc.constantFrom<number[]>([0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 1]),
  coins: fc.constantFrom<number[]>([10, 10], [8, 8, 8], [10, 10, 10, 10], [20, 6], [4]),
};

const who = fc.constantFrom(0, 0, 0, 1, 1, 2);
const nth = fc.nat(2);
const id = fc.nat(1);
const anyId = fc.nat(3);
const of = <T extends Step['do'], F>(name: T, fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) =>
  fc.record({ do: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<Extract<Step, { do: T }>>;

type Weighed = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> };
const weighed = (weight: number, arbitrary: fc.Arbitrary<Step>): Weighed => ({ weight, arbitrary });

const act = of('act', {
  who,
  task: fc.constantFrom(0, 0, 0, 1, 2),
  look: fc.boolean(),
  times: fc.integer({ min: 1, max: 6 }),
  luck: fc.nat(7),
});
const common = (row: fc.Arbitrary<number>): readonly Weighed[] => [
  weighed(160, act),
  weighed(24, of('deliver', { nth })),
  weighed(12, of('arrive', { nth, fate: fc.constantFrom('taken', 'taken', 'backpressure', 'for-good') })),
  weighed(12, of('sequence', { nth, backpressure: fc.constantFrom(false, false, true) })),
  weighed(12, of('verdict', { contention: fc.constantFrom(false, false, true) })),
  weighed(20, fc.constant({ do: 'checkpoint' })),
  weighed(24, of('lapse', { row })),
  weighed(10, of('wait', { ms: fc.constantFrom(100, 6_000, 31_000, 95_000, 200_000) })),
  weighed(16, of('wait-for-bound', { nth, past: fc.boolean() })),
  weighed(12, fc.constant({ do: 'replay' })),
  weighed(6, of('die', { who })),
  weighed(4, fc.constant({ do: 'rival' })),
  weighed(8, fc.constant({ do: 'earn' })),
  weighed(3, of('copy', { nth })),
];

/** An instance goes on with one of its tasks, as long as nothing stops it. */
const going = (who: number, look: boolean, times: number, task = 0): Step => ({
  do: 'act',
  who,
  task,
  look,
  times,
  luck: 7,
});

interface Turn {
  readonly first: number;
  readonly times: number;
  readonly row: number;
  readonly fate: 'taken' | 'for-good';
  readonly lag: number;
  readonly aheadMs: number;
}
const turn: fc.Arbitrary<Turn> = fc.record({
  first: fc.nat(2),
  times: fc.constantFrom(1, 2, 3, 3, 3, 4, 5, 6, 8),
  row: id,
  fate: fc.constantFrom('taken', 'for-good'),
  lag: fc.constantFrom(0, 1, 1, 2, 3),
  aheadMs: ahead,
});

/** One is stopped somewhere on its way, and another does all of it. */
const overtaken = ({ first, times, row, fate }: Turn): Step[] => [
  going(first, false, times),
  { do: 'arrive', nth: 0, fate },
  going(first, false, times % 3),
  { do: 'lapse', row },
  { do: 'earn' },
  { do: 'wait-for-bound', nth: 0, past: true },
  { do: 'checkpoint' },
  going(first + 1, true, 6),
  going(first + 1, false, 8),
  { do: 'deliver', nth: 0 },
  going(first + 1, false, 3),
];

/** And then the database is as it was in between. */
const overtakenAndLost = (turn: Turn): Step[] => [
  ...overtaken(turn),
  { do: 'failover', to: 'claim', lag: turn.lag, aheadMs: turn.aheadMs },
  going(turn.first, false, 4),
];

/** What was sent is forgotten, arrives as late as it may, and is looked for until its bound. */
const lost = ({ first, lag, aheadMs }: Turn): Step[] => [
  going(first, false, 8),
  { do: 'failover', to: 'any', lag: lag % 3, aheadMs },
  { do: 'marks', who: first },
  going(first + 1, false, 4),
  { do: 'wait-for-bound', nth: 0, past: false },
  { do: 'arrive', nth: 0, fate: 'taken' },
  { do: 'wait-for-bound', nth: 0, past: false },
  { do: 'checkpoint' },
  going(first + 1, true, 6),
  going(first + 1, false, 8),
];

/** What was sent and done is forgotten, and the marks are kept meanwhile. */
const doneAndLost = ({ first, lag, aheadMs }: Turn): Step[] => [
  going(first, false, 8),
  { do: 'deliver', nth: 0 },
  { do: 'failover', to: 'any', lag: lag % 3, aheadMs },
  { do: 'marks', who: first },
  going(first, false, 4),
  { do: 'wait-for-bound', nth: 0, past: true },
  { do: 'checkpoint' },
  going(first, true, 6),
];

/** A failover, a recheck, and another failover that knows nothing of it. */
const lostTwice = ({ first, row, aheadMs }: Turn): Step[] => [
  { do: 'failover', to: 'any', lag: 0, aheadMs },
  going(first, true, 5),
  { do: 'wait-for-bound', nth: 0, past: true },
  { do: 'checkpoint' },
  going(first, true, 6),
  going(first, false, 8),
  { do: 'deliver', nth: 0 },
  going(first, false, 3),
  { do: 'failover', to: 'any', lag: 99, aheadMs },
  going(first + 1, false, 3),
  { do: 'insert', row },
  { do: 'rival' },
  going(first, false, 8),
];

/** What was sent is forgotten with its row, and is still on its way when the row is there again and the money is not. */
const insertedAgain = ({ first, row, lag, aheadMs }: Turn): Step[] => [
  going(first, false, 8),
  { do: 'failover', to: 'any', lag: lag % 2, aheadMs },
  going(first, false, 4),
  { do: 'wait', ms: 200_000 },
  { do: 'checkpoint' },
  { do: 'insert', row },
  going(first, true, 6),
  { do: 'rival' },
  { do: 'rival' },
  going(first, false, 8),
];

/** Several rows of a sender are under way, one of them further than the next, and are decided in any order. */
const abreast = ({ first, times, lag }: Turn): Step[] => [
  going(first, false, 8),
  going(first, false, 7, 1),
  going(first + 1, false, times),
  { do: 'deliver', nth: lag },
  going(first, false, 3, times % 2),
  going(first + 1, false, 6),
  { do: 'deliver', nth: 0 },
];

/** What one reads, another has changed before it reads on, or writes: it ends a row before that one. */
const readMeanwhile = ({ first, times, row }: Turn): Step[] => [
  going(first, false, 8),
  going(first + 1, false, times),
  { do: 'deliver', nth: 0 },
  going(first, false, 3),
  going(first + 1, false, 1 + row),
  going(first, false, 8),
  going(first + 1, false, 8),
];

/** One that has begun is refused while the next is on its way, and would begin again with what that one has chosen. */
const refusedMeanwhile = ({ first, times }: Turn): Step[] => [
  going(first, false, 8),
  going(first + 1, false, 4 + (times % 2)),
  { do: 'rival' },
  { do: 'deliver', nth: 0 },
  going(first, false, 3),
  { do: 'wait', ms: 6_000 },
  going(first, false, 8),
  { do: 'deliver', nth: 0 },
  going(first, false, 3),
  going(first + 1, false, 4),
];

/** One is refused, and begins again with another holding: the standby knows only of the first one, and a row arrives. */
const begunAgainAndLost = ({ first, lag, aheadMs }: Turn): Step[] => [
  going(first, false, 8),
  { do: 'rival' },
  { do: 'deliver', nth: 0 },
  going(first, false, 3),
  { do: 'wait', ms: 6_000 },
  going(first, false, 7),
  { do: 'failover', to: 'any', lag: 2 + lag, aheadMs },
  going(first + 1, false, 4),
  ...[1, 2, 3].map((row): Step => ({ do: 'insert', row })),
  going(first + 1, false, 8),
];

/** What goes on in any history, and what some have of their own. */
function historyOf(
  kind: Partial<Kind>,
  own: readonly Weighed[],
  phrases: ((turn: Turn) => Step[])[],
): fc.Arbitrary<History> {
  const single = fc.oneof(...common(kind.lanes === 'holdings' ? anyId : id), ...own).map((one) => [one]);
  const phrase = fc.oneof(...phrases.map((of) => turn.map(of)));
  const part = fc.oneof({ weight: 20, arbitrary: single }, { weight: 1, arbitrary: phrase });
  return fc.record({
    setup: setup({ lanes: 'sender', dedup: false, failovers: false, insertsLost: false, ...kind }),
    steps: fc.array(part, { minLength: 5, maxLength: 70, size: 'max' }).map((parts) => parts.flat()),
  });
}

const connect = of('connect', { who, to: fc.constantFrom('ours', 'another', 'yesterday') });
const failover = of('failover', { to: fc.constantFrom('any', 'claim'), lag: fc.nat(4), aheadMs: ahead });
const marks = of('marks', { who });
const foreign = of('foreign', { row: id });
const insert = of('insert', { row: id });
const users = of('users', { row: id, what: fc.constantFrom('party', 'key') });
const arrival = of('insert', { row: anyId });
const phrasesOfHoldings = [abreast, abreast, readMeanwhile, refusedMeanwhile];

/** By what befalls them beside crashes, delays and losses; one of them each, so that what is rare meets often enough. */
export const histories = {
  users: historyOf({}, [weighed(8, users)], [overtaken]),
  participants: historyOf({}, [weighed(24, connect), weighed(12, marks)], [overtaken]),
  foreign: historyOf({}, [weighed(5, foreign)], [overtaken]),
  duplicates: historyOf({ dedup: true }, [weighed(5, foreign)], [overtaken]),
  failovers: historyOf(
    { failovers: true },
    [weighed(16, failover), weighed(24, marks)],
    [overtakenAndLost, lost, doneAndLost],
  ),
  'inserts lost': historyOf(
    { failovers: true, insertsLost: true, dedup: true },
    [weighed(16, failover), weighed(16, insert), weighed(8, marks)],
    [overtakenAndLost, lost, doneAndLost, lostTwice, insertedAgain],
  ),
  'side by side': historyOf(
    { lanes: 'holdings' },
    [weighed(4, users), weighed(2, connect), weighed(1, foreign), weighed(8, arrival)],
    [...phrasesOfHoldings, overtaken],
  ),
  'side by side, failovers': historyOf(
    { lanes: 'holdings', failovers: true },
    [weighed(16, failover), weighed(16, marks), weighed(8, arrival)],
    [...phrasesOfHoldings, begunAgainAndLost, overtakenAndLost, lost, doneAndLost],
  ),
} as const satisfies Readonly<Record<string, fc.Arbitrary<History>>>;

export type HistoryKind = keyof typeof histories;

const WEIGHTS: Readonly<Record<HistoryKind, number>> = {
  users: 3,
  participants: 2,
  foreign: 1,
  duplicates: 1,
  failovers: 4,
  'inserts lost': 1,
  'side by side': 4,
  'side by side, failovers': 3,
};

export const anyHistory: fc.Arbitrary<History> = fc.oneof(
  ...(Object.keys(WEIGHTS) as HistoryKind[]).map((kind) => ({
    weight: WEIGHTS[kind],
    arbitrary: histories[kind],
  })),
);
