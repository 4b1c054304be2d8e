// What the answer to a submission comes to, whichever call submitted.

import type { TransferFactory } from '../core/transfer.js';
import type { Outcome, Refusal } from '../protocol/outcome.js';
import type { Called } from './call.js';
import { classifySubmission } from './classify.js';
import { offsetOf } from './values.js';

/** `SubmitAndWaitResponse` and `ExecuteSubmissionAndWaitResponse` alike. */
interface Accepted {
  readonly updateId: string;
  readonly completionOffset: string;
}

export function outcomeOf(called: Called<Accepted>): Outcome {
  switch (called.kind) {
    case 'answer': {
      const { updateId, completionOffset } = called.value;
      const offset = offsetOf(completionOffset);
      if (updateId !== '' && offset !== null && offset > 0n) return { kind: 'accepted', updateId, offset };
      // An OK without an update proves no commit; a look finds out.
      return { kind: 'unknown', detail: 'ANSWER_UNREADABLE: accepted without an update id or offset' };
    }
    case 'status':
      return classifySubmission(called.status);
    case 'not-called':
      // Never to be encoded is no matter of the connection: it uses up attempts, and parks.
      return called.errorId === 'REQUEST_UNENCODABLE'
        ? {
            kind: 'refused',
            refusal: {
              kind: 'try-again',
              blame: 'sender',
              errorId: called.errorId,
              detail: called.detail,
              retryAfterMs: null,
            },
          }
        : { kind: 'not-sent', detail: `${called.errorId}: ${called.detail}` };
  }
}

/** What a Daml rule says where the choice context lacks something, or has it as something else. */
const OF_THE_CONTEXT = /\bcontext\b/i;

/**
 * A rule that would fail the row for what a registry made up: it is the token's trouble, and the row waits (I5). A rule
 * of the token's that said no to the transfer itself stays what it is.
 */
export function blameRegistry(refusal: Refusal, factory: TransferFactory): Refusal {
  if (factory.kind === 'own' || refusal.kind !== 'for-good') return refusal;
  return OF_THE_CONTEXT.test(refusal.detail) ? { ...refusal, kind: 'not-the-row', blame: 'token' } : refusal;
}
