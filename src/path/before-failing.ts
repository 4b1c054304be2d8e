import type { UndecidedClaim } from '../protocol/record.js';
import { givenBack, park, unsent, type Verdict } from '../protocol/verdict.js';
import type { PathContext } from './context.js';
import { type LookDeps, look } from './look.js';
import type { FoundKind, Looking } from './looking.js';
import type { Submission, SubmitDeps } from './submission.js';

/**
 * For a while after a failover a fresh row may be one that was done before it: its insert was lost, and made again.
 * So "failed" first looks where the old one would show (P20); what was not accepted between a ledger end known before
 * the failover and the last bound of before it never will be. Any other verdict, and at any other time: as it is.
 */
export async function beforeFailing(
  path: PathContext,
  deps: SubmitDeps & LookDeps,
  { claim, lease, now, at }: Omit<Submission, 'onSend'>,
  verdict: Verdict,
): Promise<Verdict> {
  const { sender } = claim;
  // Without a party nothing can have been sent for it.
  if (verdict.kind !== 'failed' || sender.kind === 'unknown') return verdict;
  const verified = deps.participant.verified();
  if (verified === null) {
    // Whether there was a failover is not known right now.
    return givenBack('NOT_FAILED: the participant is not verified', path.settings.probeMs);
  }
  if (verified.pinned.recheck === null) return verdict;
  const { from, until } = verified.pinned.recheck;
  const record: UndecidedClaim['record'] = {
    sentFrom: from,
    sentUntil: until,
    submissionId: null,
    party: sender.party,
    sentOn: verified.pinned.sentOn,
    hash: null,
  };
  const row: Looking = { claim: { ...claim, kind: 'undecided', record, sentBy: null }, lease };
  const ends: { readonly verdict: Verdict; readonly found: FoundKind }[] = [];
  await look(path, deps, { rows: [row], now, at }, deps.stopping, async (_, end, found) => {
    ends.push({ verdict: end, found });
  });
  const [end] = ends;
  // The lease was lost meanwhile: whatever is said here is fenced.
  return end === undefined ? unsent('the look before it fails did not end') : afterLook(path, verdict, end);
}

/** Nothing of this row is recorded, so whatever does not end it gives it back without a record. */
function afterLook(
  { settings }: PathContext,
  failed: Verdict,
  { verdict, found }: { readonly verdict: Verdict; readonly found: FoundKind },
): Verdict {
  if (found === 'dead') return failed;
  if (verdict.kind !== 'pending') return verdict;
  const why = verdict.lastError ?? '';
  if (verdict.wait === 'parked') return park(why);
  return givenBack(
    `RECHECK: before it fails, the ledger has to say that it was not done before the failover. ${why}`,
    settings.probeMs,
  );
}
