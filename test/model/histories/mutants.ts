// Guards taken out, one at a time: the property must miss each of them, or it proves nothing.

import { dbMillis, microsOf } from '../../../src/core/ids.js';
import type { Decidable } from '../../../src/protocol/decide.js';
import { built, type Rules } from './rules.js';
import type { HistoryKind } from './steps.js';

const { decide, lookAt, timeline, recheck, holdings } = built;

interface Mutant {
  /** The kind of history that may meet it; null: any. */
  readonly kind: HistoryKind | null;
  readonly without: Partial<Rules>;
}

const missing = (without: Partial<Rules>, kind: HistoryKind | null = null): Mutant => ({ kind, without });

function sideBySide(without: Readonly<Record<string, Partial<Rules['holdings']>>>): Record<string, Mutant> {
  return Object.fromEntries(
    Object.entries(without).map(([what, gone]) => [
      `side by side: ${what}`,
      missing({ holdings: { ...holdings, ...gone } }, 'side by side'),
    ]),
  );
}

/** By what is gone. */
export const mutants: Readonly<Record<string, Mutant>> = {
  'an unknown outcome keeps the record': missing({
    decide: (outcome: Decidable, attempt) => {
      const verdict = decide(outcome, attempt);
      return outcome.kind === 'unknown' && verdict.kind === 'pending'
        ? { ...verdict, record: 'clear' }
        : verdict;
    },
  }),
  'only strictly past the bound is dead': missing({
    lookAt: (event, commandId, record, synchronizerId) => {
      const { sentUntil } = record;
      const atBound =
        sentUntil !== null &&
        event.kind === 'checkpoint' &&
        event.times.some((time) => time.recordTime === microsOf(sentUntil));
      const bound = atBound ? dbMillis(sentUntil - 1) : sentUntil;
      return lookAt(event, commandId, { ...record, sentUntil: bound }, synchronizerId);
    },
  }),
  "only this submission's own rejection is its end": missing({
    lookAt: (event, commandId, ...rest) =>
      event.kind === 'rejected' && event.commandId === commandId && event.outcome.kind === 'refused'
        ? { kind: 'dead', refusal: null }
        : lookAt(event, commandId, ...rest),
  }),
  'a read begins before what was sent, not only before the mark': missing({
    beginBefore: (sentFrom, mark) => (mark === null || mark.offset <= sentFrom ? sentFrom : mark.offset - 1n),
  }),
  'a look begins where it was sent from, not at the ledger end of now': missing({ sentFrom: false }),
  'a stream proves its participant': missing(
    { observeProof: (proof) => (proof === 'awaiting' ? 'shown' : proof) },
    'participants',
  ),
  'no death without that proof': missing({ proof: false }, 'participants'),
  'the fence on settle': missing({ fence: false }),
  'the record before the request': missing({ writeAhead: false }),
  'the bound that the ledger knows of': missing({ bound: false }),
  'a record without a bound for a transfer of two steps': missing({ twoStepRecord: false }),
  'an undecided row is looked at, nothing else': missing({ look: false }),
  'a look asks for the party that was sent with': missing({ recordParty: false }, 'users'),
  "an acceptance's content": missing({ content: false }, 'foreign'),
  'the acceptance that a duplicate speaks of has to be found': missing({ chase: false }, 'duplicates'),
  'the claim compares the timeline': missing({ timeline: { ...timeline, claim: false } }, 'failovers'),
  'the write-ahead compares the timeline': missing(
    { timeline: { ...timeline, writeAhead: false } },
    'failovers',
  ),
  'settle compares the timeline before it fails a row': missing(
    { timeline: { ...timeline, settle: false } },
    'failovers',
  ),
  'marks move only on the pinned timeline': missing({ timeline: { ...timeline, marks: false } }, 'failovers'),
  'a recheck takes claims away': missing({ recheck: { ...recheck, takesToken: false } }, 'failovers'),
  'a recheck widens the record that it finds': missing(
    { recheck: { ...recheck, widens: false } },
    'failovers',
  ),
  'a recheck gives a record to rows that have none': missing(
    { recheck: { ...recheck, rowsWithoutRecord: false } },
    'failovers',
  ),
  'a recheck forgets the submission id': missing({ recheck: { ...recheck, forgetsId: false } }, 'failovers'),
  'a recheck allows for a clock that went back': missing(
    { recheck: { ...recheck, allowsForSkew: false } },
    'failovers',
  ),
  'the generation of a recheck is like no other': missing(
    { recheck: { ...recheck, newGeneration: false } },
    'inserts lost',
  ),
  'failed looks first, after a failover': missing({ lookBeforeFailed: false }, 'inserts lost'),
  'that look knows no bound of a transfer of two steps': missing({ lookWithoutBound: false }, 'inserts lost'),
  ...sideBySide({
    'one row of a sender at a time is on its way to its record': { oneAtATime: false },
    'what is reserved is read before the holdings': { readBefore: false },
    "a reservation looks at the party's other rows": { reservedOnce: false },
    'the lowest row without a record begins first': { lowestFirst: false },
    'the fence on a reservation': { fence: false },
    'what is reserved stays so while nothing is known': { kept: false },
    'a row that nobody remembers may spend any holding': { unknownIsAnything: false },
    'it steps aside once it is parked': { parkedStepsAside: false },
    'a row waits for holdings for so long at most': { waitsSoLong: false },
    'what is reserved counts before a row fails': { reservedCounts: false },
  }),
  'side by side: what is spent is reserved before the request': missing(
    { writeAhead: false },
    'side by side',
  ),
  'side by side: a reservation compares the timeline': missing(
    { timeline: { ...timeline, writeAhead: false } },
    'side by side, failovers',
  ),
  'side by side: a recheck forgets what is spent': missing(
    { recheck: { ...recheck, forgetsInputs: false } },
    'side by side, failovers',
  ),
};

export const withoutGuard = (name: string): Rules => ({ ...built, ...mutants[name]?.without });
