// CommandService: the calls that submit and wait.
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import {
  type SubmitAndWaitForTransactionRequest,
  SubmitAndWaitForTransactionResponse,
  type SubmitAndWaitRequest,
  SubmitAndWaitResponse,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import type { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  type TransactionFormat,
  TransactionShape,
  WildcardFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import type { Host } from '../host.js';
import type { Participant } from '../model/participant.js';
import type { Decision } from '../model/submission.js';
import { transactionOf } from './encode-events.js';
import { EventFilter } from './event-filter.js';
import { incomingCommands } from './read-commands.js';
import { waiting } from './reply.js';
import { receiveSubmission } from './submission-call.js';

interface SubmittingRequest {
  readonly commands: Commands | undefined;
}

export function commandService(host: Host) {
  return {
    SubmitAndWait: submitting<SubmitAndWaitRequest, SubmitAndWaitResponse>(
      host,
      'CommandService/SubmitAndWait',
      (_request, { updateId, offset }) =>
        new SubmitAndWaitResponse({ updateId, completionOffset: `${offset}` }),
    ),
    SubmitAndWaitForTransaction: submitting<
      SubmitAndWaitForTransactionRequest,
      SubmitAndWaitForTransactionResponse
    >(host, 'CommandService/SubmitAndWaitForTransaction', (request, { offset }, participant) =>
      transactionResponse(request, offset, participant),
    ),
  };
}

type Accepted = Extract<Decision, { kind: 'accepted' }>;

function submitting<Request extends SubmittingRequest, Response>(
  host: Host,
  method: string,
  respond: (request: Request, accepted: Accepted, participant: Participant) => Response,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    const caller = waiting(call, callback, (accepted, participant) =>
      respond(call.request, accepted, participant),
    );
    receiveSubmission(host, incomingCommands(method, call.request.commands), caller);
  };
}

function transactionResponse(
  request: SubmitAndWaitForTransactionRequest,
  offset: number,
  participant: Participant,
): SubmitAndWaitForTransactionResponse {
  const format = request.transactionFormat;
  const filter = new EventFilter(format?.eventFormat ?? everything(request.commands), 'transaction_format');
  const entry = participant.state.entryAt(offset);
  const transaction = entry && transactionOf(entry, participant, filter, shapeOf(format));
  return new SubmitAndWaitForTransactionResponse(transaction ? { transaction } : {});
}

function shapeOf(format: TransactionFormat | undefined): TransactionShape {
  return format?.transactionShape || TransactionShape.TRANSACTION_SHAPE_ACS_DELTA;
}

function everything(commands: Commands | undefined): EventFormat {
  const filters = () =>
    new Filters({ cumulative: [new CumulativeFilter({ wildcardFilter: new WildcardFilter() })] });
  const parties = [...(commands?.actAs ?? []), ...(commands?.readAs ?? [])];
  return new EventFormat({
    filtersByParty: new Map(parties.map((party) => [party, filters()])),
    verbose: true,
  });
}
