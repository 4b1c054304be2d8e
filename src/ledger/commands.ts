// Sending a transfer: one SubmitAndWait, once.

import {
  SubmitAndWaitRequest,
  type SubmitAndWaitResponse,
  UnimplementedCommandServiceService,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import { Command, Commands, ExerciseCommand } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { Value } from '#proto/com/daml/ledger/api/v2/value.js';
import type { Outcome } from '../core/outcome.js';
import type { CallOptions } from '../core/ports.js';
import type { HostedSubmission, TransferTerms } from '../core/transfer.js';
import { type Called, offsetOf, unary, type Wire } from './call.js';
import { classifySubmission } from './classify.js';
import type { LedgerSettings } from './settings.js';
import * as daml from './values.js';

/** The ForTransaction form looks the transaction up after the commit, and can fail there: it must never be used. */
const submitAndWait = UnimplementedCommandServiceService.definition.SubmitAndWait;

export async function submit(
  wire: Wire,
  settings: LedgerSettings,
  submission: HostedSubmission,
  options: CallOptions,
): Promise<Outcome> {
  const request = new SubmitAndWaitRequest({ commands: commandsOf(submission, settings) });
  return outcomeOf(await unary(wire, submitAndWait, request, { ...options, onlyWhenReady: true }));
}

function outcomeOf(called: Called<SubmitAndWaitResponse>): Outcome {
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

/**
 * No deduplication period: the participant then uses its longest. No workflow id, no minimum ledger time: nothing
 * but the transfer's own `executeBefore` bounds it.
 */
export function commandsOf(submission: HostedSubmission, settings: LedgerSettings): Commands {
  const { packages, userId, synchronizerId, issuerParty } = settings;
  const exercise = new ExerciseCommand({
    templateId: daml.identifier(
      packages.transfer,
      'Splice.Api.Token.TransferInstructionV1',
      'TransferFactory',
    ),
    contractId: submission.factory.contractId,
    choice: 'TransferFactory_Transfer',
    choiceArgument: transferArgument(submission),
  });
  return new Commands({
    userId,
    commandId: submission.commandId,
    submissionId: submission.submissionId,
    commands: [new Command({ exercise })],
    actAs: [submission.sender],
    // The factory shows to its admin and auditors only.
    readAs: [issuerParty],
    synchronizerId,
  });
}

/** The argument of CIP-56's `TransferFactory_Transfer`. */
function transferArgument(transfer: TransferTerms): Value {
  const noMetadata = (): Value => daml.record({ values: daml.emptyTextMap() });
  return daml.record({
    expectedAdmin: daml.party(transfer.admin),
    transfer: daml.record({
      sender: daml.party(transfer.sender),
      receiver: daml.party(transfer.receiver),
      amount: daml.numeric(transfer.amount),
      instrumentId: daml.record({ admin: daml.party(transfer.admin), id: daml.text(transfer.instrumentId) }),
      requestedAt: daml.timestamp(transfer.requestedAt),
      executeBefore: daml.timestamp(transfer.executeBefore),
      inputHoldingCids: daml.contractIds(transfer.holdings),
      meta: noMetadata(),
    }),
    extraArgs: daml.record({ context: noMetadata(), meta: noMetadata() }),
  });
}
