// The look at an undecided row (rule 4), as src/path/look goes about it.

import type { DbMillis, Micros, Offset } from '../../../src/core/ids.js';
import { nextLookMs } from '../../../src/protocol/backoff.js';
import { overdueMs } from '../../../src/protocol/bound.js';
import { afterDeath } from '../../../src/protocol/decide.js';
import { type Conclusion, chaseFrom } from '../../../src/protocol/look.js';
import type { CompletionEvent } from '../../../src/protocol/outcome.js';
import { proofAtBegin } from '../../../src/protocol/proof.js';
import type { SubmissionRecord } from '../../../src/protocol/record.js';
import {
  givenBack,
  lookedInVain,
  park,
  parkUndecided,
  retryIn,
  undecided,
  type Verdict,
} from '../../../src/protocol/verdict.js';
import type { Claim } from './database.js';
import { type Attempt, bad, completed, MAX_ATTEMPTS, type Self, type Steps } from './self.js';
import { PARTICIPANT, PROBE_MS, SYNCHRONIZER } from './times.js';

/** Reads of a stream until patience is over. */
const PATIENCE = 4;

export interface Looked {
  readonly found: 'acceptance' | 'dead' | 'nothing';
  readonly verdict: Verdict;
}

/** One read of the stream, from before it was sent, and nothing else. */
export function* look(self: Self, attempt: Attempt, record: SubmissionRecord): Steps<Looked> {
  const { rules, count } = self.world;
  const { verified, view } = self;
  const { claim } = attempt;
  const nothing = (verdict: Verdict): Looked => ({ found: 'nothing', verdict });
  const later = (): Looked => nothing(lookAgain(claim, record, self.now(attempt)));
  if (verified === null) return nothing(undecided('now', null));
  const { mark } = verified;
  if (mark === null && rules.proof && view.id !== PARTICIPANT) return later();
  const party = rules.recordParty ? record.party : claim.user.party;
  let last = rules.beginBefore(rules.sentFrom ? record.sentFrom : view.end, mark);
  let proof = proofAtBegin(mark);
  let dead: Extract<Conclusion, { kind: 'dead' }> | null = null;
  for (let patience = PATIENCE; patience > 0 && !bad(yield); patience--) {
    for (const event of view.events) {
      if (event.offset <= last) continue;
      last = event.offset;
      if (!concerns(event, [party, mark?.party])) continue;
      self.sawRecordTime(recordTimeOf(event));
      proof = rules.observeProof(proof, mark, event);
      if (proof === 'missed' && rules.proof) {
        self.say(() => 'looks, and finds another participant');
        count('another');
        self.verified = null;
        return later();
      }
      const conclusion = rules.lookAt(event, claim.row.txHash, record, SYNCHRONIZER);
      if (conclusion?.kind === 'accepted')
        return { found: 'acceptance', verdict: verify(self, claim, conclusion) };
      if (conclusion?.kind === 'duplicate') {
        const chased = chase(self, claim, record, conclusion.completionOffset);
        return nothing(chased ?? undecided(5_000, 'DUPLICATE_COMMAND'));
      }
      if (conclusion?.kind === 'dead') dead ??= conclusion;
      const proven = proof === 'shown' || (proof === 'unmarked' && self.view.id === PARTICIPANT);
      if (dead !== null && (proven || !rules.proof)) {
        self.say(() => `looks, and finds r${claim.row.id + 1} dead`);
        count('dead');
        return { found: 'dead', verdict: afterDeath(dead.refusal, attempted(claim.row.attempts)) };
      }
    }
  }
  self.say(() => `looks, and finds nothing on r${claim.row.id + 1}`);
  return later();
}

/** `failed`, but where the row itself may have been done before a failover: there the ledger is asked first (P20). */
export function* beforeFailing(self: Self, attempt: Attempt, verdict: Verdict): Steps<Verdict> {
  const recheck = self.verified?.recheck ?? null;
  if (verdict.kind !== 'failed' || recheck === null || !self.world.rules.lookBeforeFailed) return verdict;
  const { row, user } = attempt.claim;
  const endless = user.hosted && row.steps === 2 && self.world.rules.lookWithoutBound;
  const record: SubmissionRecord = {
    sentFrom: recheck.from,
    sentUntil: endless ? null : recheck.until,
    submissionId: null,
    party: user.party,
    sentOn: 1,
    hash: null,
  };
  const looked = yield* look(self, attempt, record);
  if (looked.found === 'dead') return verdict;
  if (looked.verdict.kind !== 'pending') return looked.verdict;
  if (looked.verdict.wait === 'parked') return park(looked.verdict.lastError ?? '');
  if (looked.verdict.attempts > 0)
    return retryIn(5_000, 'RECHECK: only a person can say', attempted(row.attempts));
  return givenBack('RECHECK: the ledger has to say first that it was not done', 5_000);
}

/** Completed only by what is shown to be this transfer: its id, else its content (P22). */
function verify(self: Self, { row }: Claim, found: Extract<Conclusion, { kind: 'accepted' }>): Verdict {
  const { ledger, rules, count } = self.world;
  const ours = found.ours || !rules.content || ledger.updates.get(found.updateId) === row.id;
  self.say(() => `finds ${ours ? 'the' : 'a foreign'} acceptance of r${row.id + 1}`);
  count(ours ? 'found' : 'foreign');
  return ours
    ? completed(found.updateId, found.offset)
    : parkUndecided(`FOREIGN_ACCEPTANCE: update ${found.updateId}`);
}

/** `DUPLICATE_COMMAND` says that an acceptance exists: found, parked where it is nowhere, or null: not known yet. */
export function chase(
  self: Self,
  claim: Claim,
  record: SubmissionRecord,
  completionOffset: Offset | null,
): Verdict | null {
  const { rules } = self.world;
  if (!rules.chase) return completed('duplicate', completionOffset ?? 0n);
  if (self.verified === null || !self.proven(self.verified.mark)) return null;
  const { beginExclusive, until } = chaseFrom(completionOffset, self.view.end, 0n);
  for (const event of self.view.events) {
    if (event.offset <= beginExclusive) continue;
    const conclusion = rules.lookAt(event, claim.row.txHash, { ...record, sentUntil: null }, SYNCHRONIZER);
    if (conclusion?.kind === 'accepted') return verify(self, claim, conclusion);
    if (event.offset >= until) return parkUndecided('LOST_DUPLICATE');
  }
  return null;
}

const attempted = (attempts: number): Parameters<typeof afterDeath>[1] => ({
  attempts,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: MAX_ATTEMPTS },
  probeMs: PROBE_MS,
  random: () => 0.5,
});

/** Still undecided. */
function lookAgain({ row }: Claim, record: SubmissionRecord, now: DbMillis): Verdict {
  const overdue = overdueMs(record, now);
  if (overdue !== null) return undecided(nextLookMs(overdue), 'UNDECIDED');
  return lookedInVain('UNDECIDED', attempted(row.attempts));
}

/** A stream lists the parties it is asked for; checkpoints come in any. */
const concerns = (event: CompletionEvent, parties: readonly (string | undefined)[]): boolean =>
  event.kind !== 'accepted' || event.parties.some((party) => parties.includes(party));

function recordTimeOf(event: CompletionEvent): Micros {
  const [time] = event.kind === 'checkpoint' ? event.times : event.time === null ? [] : [event.time];
  return time?.recordTime ?? 0n;
}
