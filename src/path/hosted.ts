// A sender that the participant acts for: the claim has written its record, and one SubmitAndWait does the rest.
import { dbMillis } from '../core/ids.js';
import { boundFor, hostedExecuteBefore } from '../protocol/bound.js';
import { unsent } from '../protocol/verdict.js';
import { databaseNow, go, type JudgedSubmission, type Path, type Step, stop } from './given/context.js';
import type { Sending } from './send.js';

export function hosted(path: Path, submission: JudgedSubmission): Step<Sending> {
  const { own, token } = submission.claim;
  if (own === null) return stop(unsent('the claim wrote no record'));
  const record = boundFor(own, submission.row.token.steps);
  const executeBefore = hostedExecuteBefore(record.sentUntil, databaseNow(path, submission), path.settings);
  return go({
    executeBefore,
    async ready({ transfer }) {
      return go({
        record,
        until: dbMillis(Number(executeBefore / 1000n)),
        call: (options) => path.ledger.submit({ ...transfer, submissionId: token }, options),
      });
    },
  });
}
