// Guards taken out, one at a time: the property must miss each of them, or it proves nothing.
import type { Decidable } from '../../../src/core/decide.js';
import { built, type Rules } from './rules.js';
import { SYNCHRONIZER } from './times.js';

const { decide, lookAt, timeline, recheck } = built;

/** What is gone, and the rules without it. */
export const mutants: Readonly<Record<string, Partial<Rules>>> = {
  'unknown keeps the record': {
    decide: (outcome: Decidable, attempt) => {
      const verdict = decide(outcome, attempt);
      return outcome.kind === 'unknown' && verdict.kind === 'pending'
        ? { ...verdict, record: 'clear' }
        : verdict;
    },
  },
  'only strictly past the bound is dead': {
    lookAt: (event, commandId, record, synchronizerId) => {
      const { sentUntil } = record;
      const earlier = sentUntil === null ? null : ((sentUntil - 1) as typeof sentUntil);
      const atBound =
        event.kind === 'checkpoint' &&
        event.times.some((time) => sentUntil !== null && time.recordTime === BigInt(sentUntil) * 1000n);
      return lookAt(event, commandId, atBound ? { ...record, sentUntil: earlier } : record, synchronizerId);
    },
  },
  'a rejection of another submission says nothing': {
    lookAt: (event, commandId, ...rest) =>
      event.kind === 'rejected' && event.commandId === commandId && event.outcome.kind === 'refused'
        ? { kind: 'dead' }
        : lookAt(event, commandId, ...rest),
  },
  'a read begins before what was sent, not only before the mark': {
    beginBefore: (sentFrom, mark) => (mark === null || mark.offset <= sentFrom ? sentFrom : mark.offset - 1n),
  },
  'the look begins where it was sent from': { sentFrom: false },
  'the fence on settle': { fence: false },
  'the record before the request': { writeAhead: false },
  'the bound that the ledger knows of': { bound: false },
  'no bound for a transfer of two steps': { twoStepRecord: false },
  'an undecided row is only looked at': { look: false },
  'the look asks for the party that was sent with': { recordParty: false },
  'no death without proof of the participant': { proof: false },
  "an acceptance's content": { content: false },
  'a duplicate is looked for': { chase: false },
  'the claim compares the timeline': { timeline: { ...timeline, claim: false } },
  'the write-ahead compares the timeline': { timeline: { ...timeline, writeAhead: false } },
  'settle compares the timeline': { timeline: { ...timeline, settle: false } },
  'the marks compare the timeline': { timeline: { ...timeline, marks: false } },
  'a recheck takes the claims away': { recheck: { ...recheck, takesToken: false } },
  'a recheck widens what is on record': { recheck: { ...recheck, widens: false } },
  'a recheck gives each row a record': { recheck: { ...recheck, rowsWithoutRecord: false } },
  'a recheck allows for another clock': { recheck: { ...recheck, allowsForSkew: false } },
  'failed looks first, after a failover': { lookBeforeFailed: false },
};

export const withoutGuard = (name: string): Rules => ({ ...built, ...mutants[name] });
void SYNCHRONIZER;
