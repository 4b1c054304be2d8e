import type { Party } from '../core/ids.js';
import type { FreshClaim } from '../protocol/record.js';
import { park, retry, type Verdict } from '../protocol/verdict.js';
import { type CheckedRow, checkParties, checkRow } from '../transfer/check.js';
import type { PathContext } from './context.js';

export interface JudgedRow {
  readonly row: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
}

export type Judged =
  | ({ readonly kind: 'ok' } & JudgedRow)
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

/** What can be said of a fresh row before the ledger is asked. Final at once: nothing of it is undecided (rule 6). */
export function judge({ settings, random }: PathContext, claim: FreshClaim): Judged {
  const { row, sender, recipient, attempts } = claim;
  const checked = checkRow(row, settings.tokens, settings.issuerParty);
  if (checked.kind === 'failed') return { kind: 'verdict', verdict: checked };
  if (checked.kind === 'park') return { kind: 'verdict', verdict: park(checked.reason) };
  const parties = checkParties(row, sender, recipient);
  if (parties.kind === 'failed') return { kind: 'verdict', verdict: parties };
  if (parties.kind === 'wait') {
    const verdict = retry(parties.reason, { attempts, policy: settings.retry, random });
    return { kind: 'verdict', verdict };
  }
  return { kind: 'ok', row: checked, sender: parties.sender, receiver: parties.receiver };
}
