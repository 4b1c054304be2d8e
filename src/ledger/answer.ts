// What the answer to a submission means, whichever call submitted it.

import type { TransferFactory } from '../core/transfer.js';
import type { Outcome, Refusal } from '../protocol/outcome.js';
import type { Called } from './call.js';
import { classifySubmission } from './classify.js';
import { offsetOf } from './values.js';

/** Both `SubmitAndWaitResponse` and `ExecuteSubmissionAndWaitResponse`. */
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
      // An OK without an update id proves no commit; a look will find out.
      return { kind: 'unknown', detail: 'ANSWER_UNREADABLE: accepted without an update id or offset' };
    }
    case 'status':
      return classifySubmission(called.status);
    case 'not-called':
      // Encoding will never succeed, and the connection is not the cause: the attempts are used up, and the row
      // parks.
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

/** What a Daml rule says if the choice context lacks a value or has a wrong one. */
const OF_THE_CONTEXT = /\bcontext\b/i;

/**
 * If a rule would fail the row because of what the registry supplied, the token is to blame and the row waits (I5). A
 * rule of the token that refused the transfer itself stands.
 */
export function blameRegistry(refusal: Refusal, factory: TransferFactory): Refusal {
  if (factory.kind === 'own' || refusal.kind !== 'for-good') return refusal;
  return OF_THE_CONTEXT.test(refusal.detail) ? { ...refusal, kind: 'not-the-row', blame: 'token' } : refusal;
}
