// The generated definitions over real gRPC, and the ways in which our code imports them.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import test from 'ava';
import {
  CommandCompletionServiceClient,
  CompletionStreamRequest,
  CompletionStreamResponse,
  UnimplementedCommandCompletionServiceService,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import {
  CommandServiceClient,
  SubmitAndWaitRequest,
  SubmitAndWaitResponse,
  UnimplementedCommandServiceService,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import { OffsetCheckpoint } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import { Any } from '#proto/google/protobuf/any.js';
import { ErrorInfo } from '#proto/google/rpc/error_details.js';
import { Status } from '#proto/google/rpc/status.js';

/** Above 2^53, where a JS number would be off by one. */
const FAR_OFFSET = '9007199254740993';

const commandService = {
  SubmitAndWait(
    call: ServerUnaryCall<SubmitAndWaitRequest, SubmitAndWaitResponse>,
    callback: sendUnaryData<SubmitAndWaitResponse>,
  ): void {
    const commandId = call.request.commands?.commandId ?? '';
    if (commandId !== 'duplicate') {
      callback(
        null,
        new SubmitAndWaitResponse({ updateId: `update of ${commandId}`, completionOffset: FAR_OFFSET }),
      );
      return;
    }
    const info = new ErrorInfo({
      reason: 'DUPLICATE_COMMAND',
      metadata: new Map([['completion_offset', FAR_OFFSET]]),
    });
    const details = new Status({
      code: status.ALREADY_EXISTS,
      details: [new Any({ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: info.serialize() })],
    });
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(details.serialize()));
    callback({ code: status.ALREADY_EXISTS, details: 'known', metadata });
  },
};

const completionService = {
  CompletionStream(call: ServerWritableStream<CompletionStreamRequest, CompletionStreamResponse>): void {
    const { beginExclusive } = call.request;
    call.write(
      new CompletionStreamResponse({
        completion: new Completion({ commandId: 'c', offset: beginExclusive }),
      }),
    );
    call.write(
      new CompletionStreamResponse({ offsetCheckpoint: new OffsetCheckpoint({ offset: FAR_OFFSET }) }),
    );
    call.end();
  },
};

async function serve(): Promise<{ address: string; stop: () => void }> {
  const server = new Server();
  server.addService(UnimplementedCommandServiceService.definition, commandService);
  server.addService(UnimplementedCommandCompletionServiceService.definition, completionService);
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

function submit(client: CommandServiceClient, commandId: string): Promise<SubmitAndWaitResponse> {
  const request = new SubmitAndWaitRequest({ commands: new Commands({ commandId }) });
  return new Promise((resolve, reject) => {
    client.SubmitAndWait(request, new Metadata(), { deadline: Date.now() + 10_000 }, (error, response) =>
      error || !response ? reject(error) : resolve(response),
    );
  });
}

test('a unary call arrives whole, both ways', async (t) => {
  const { address, stop } = await serve();
  const client = new CommandServiceClient(address, credentials.createInsecure());
  try {
    const response = await submit(client, 'mine');
    t.is(response.updateId, 'update of mine');
    t.is(response.completionOffset, FAR_OFFSET);
  } finally {
    client.close();
    stop();
  }
});

test('a server stream arrives whole, each oneof case under its name', async (t) => {
  const { address, stop } = await serve();
  const client = new CommandCompletionServiceClient(address, credentials.createInsecure());
  try {
    const seen: (string | undefined)[][] = [];
    const request = new CompletionStreamRequest({ parties: ['alice::1220'], beginExclusive: FAR_OFFSET });
    for await (const item of client.CompletionStream(request)) {
      const { completionResponse, completion, offsetCheckpoint } = item as CompletionStreamResponse;
      seen.push([completionResponse, completion?.offset, offsetCheckpoint?.offset]);
    }
    t.deepEqual(seen, [
      ['completion', FAR_OFFSET, undefined],
      ['offsetCheckpoint', undefined, FAR_OFFSET],
    ]);
  } finally {
    client.close();
    stop();
  }
});

test('error details come through the trailer', async (t) => {
  const { address, stop } = await serve();
  const client = new CommandServiceClient(address, credentials.createInsecure());
  try {
    const error = await submit(client, 'duplicate').catch((thrown: ServiceError) => thrown);
    if (error instanceof SubmitAndWaitResponse) return t.fail('the call did not fail');
    t.is(error.code, status.ALREADY_EXISTS);
    const [trailer] = error.metadata.get('grpc-status-details-bin');
    const [packed] = Status.deserialize(trailer as Buffer).details;
    t.is(packed?.typeUrl, 'type.googleapis.com/google.rpc.ErrorInfo');
    const info = ErrorInfo.deserialize(packed?.value ?? new Uint8Array());
    t.is(info.reason, 'DUPLICATE_COMMAND');
    t.is(info.metadata.get('completion_offset'), FAR_OFFSET);
  } finally {
    client.close();
    stop();
  }
});

test('plain node imports the generated names from ESM', async (t) => {
  const script = `
    import { Value } from '#proto/com/daml/ledger/api/v2/value.js';
    import { HealthClient, UnimplementedHealthService } from '#proto/grpc/health/v1/health.js';
    if (!HealthClient || !UnimplementedHealthService) throw new Error('no health');
    console.log(Buffer.from(new Value({ int64: '-1' }).serialize()).toString('hex'));
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  t.is(stdout.trim(), '1801');
});
