import type { Offset } from '../../core/ids.js';
import type { UndecidedClaim } from '../../protocol/record.js';
import { parkUndecided, type Verdict } from '../../protocol/verdict.js';
import { tokenKey } from '../../transfer/address.js';
import { differs } from '../../transfer/compare.js';
import { offerNote } from '../../transfer/steps.js';
import type { Path } from '../given/context.js';

const CALL_MS = 10_000;

/** An acceptance of the row's command id. */
export interface Acceptance {
  readonly updateId: string;
  readonly offset: Offset;
  /** It has our own submission id or hash: nothing more to compare. */
  readonly ours: boolean;
  readonly submissionId: string;
}

export type UndecidedRow = Pick<UndecidedClaim, 'row' | 'record' | 'recipient'>;

/**
 * `completed` only for what is shown to be this transfer: by our submission id or hash, else by the update's content. Any
 * other transfer under this command id parks the row, loudly (P22). `unread`: the update cannot be read now; `absent`:
 * the participant does not show it.
 */
export async function verifyAcceptance(
  path: Path,
  claim: UndecidedRow,
  found: Acceptance,
  signal: AbortSignal,
): Promise<Verdict | 'unread' | 'absent'> {
  const { updateId, offset } = found;
  const token = path.settings.tokens.get(tokenKey(claim.row.contractAddress));
  const note = token === undefined ? null : offerNote(token);
  const completed: Verdict = { kind: 'completed', updateId, offset, note };
  const { submissionId } = claim.record;
  /** Somebody else submits under our command ids: this time it was the right transfer, but the next may not be. */
  const foreign = submissionId !== null && found.submissionId !== submissionId;
  const complete = (): Verdict => {
    const what = `FOREIGN_SUBMISSION: update ${updateId} is this transfer, but it was submitted as ${found.submissionId || 'nothing'}, and not as ${submissionId}: find out who else submits under these command ids`;
    if (foreign) path.emit({ kind: 'alarm', what, txHash: claim.row.txHash });
    return completed;
  };
  if (found.ours) return complete();
  const effect = await path.ledger.transferOf(found.updateId, [claim.record.party], {
    timeoutMs: CALL_MS,
    signal,
  });
  if (effect.kind !== 'read') return 'unread';
  if (effect.value === 'absent') return 'absent';
  const { tokens, issuerParty } = path.settings;
  const compared = { row: claim.row, sender: claim.record.party, receiver: claim.recipient };
  const difference =
    effect.value === null ? 'it is not a transfer' : differs(compared, effect.value, tokens, issuerParty);
  if (difference === null) return complete();
  const reason = `FOREIGN_ACCEPTANCE: update ${found.updateId} was accepted under this row's command id, but ${difference}`;
  path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
  return parkUndecided(reason);
}
