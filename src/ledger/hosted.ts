// Sends a hosted party's transfer: one SubmitAndWait, once.
import {
  SubmitAndWaitRequest,
  UnimplementedCommandServiceService,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { HostedSubmission } from '../core/transfer.js';
import type { SendOptions } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';
import { blameRegistry, outcomeOf } from './answer.js';
import { unary, type Wire } from './call.js';
import type { LedgerSettings } from './settings.js';
import { transferCommand } from './transfer-command.js';

/** The ForTransaction form must never be used: it looks up the transaction after the commit, and can fail there. */
const submitAndWait = UnimplementedCommandServiceService.definition.SubmitAndWait;

export async function submit(
  wire: Wire,
  settings: LedgerSettings,
  submission: HostedSubmission,
  options: SendOptions,
): Promise<Outcome> {
  const request = new SubmitAndWaitRequest({ commands: commandsOf(submission, settings) });
  const outcome = outcomeOf(
    await unary(wire, submitAndWait, request, {
      ...options,
      onlyWhenReady: true,
      about: submission.commandId,
    }),
  );
  if (outcome.kind !== 'refused') return outcome;
  return { kind: 'refused', refusal: blameRegistry(outcome.refusal, submission.factory) };
}

/**
 * Without a deduplication period the participant uses its longest one. No workflow id and no minimum ledger time: the
 * transfer's own `executeBefore` is its only bound.
 */
export function commandsOf(submission: HostedSubmission, settings: LedgerSettings): Commands {
  return new Commands({
    userId: settings.userId,
    commandId: submission.commandId,
    submissionId: submission.submissionId,
    actAs: [submission.sender],
    synchronizerId: settings.synchronizerId,
    ...transferCommand(submission, settings),
  });
}
