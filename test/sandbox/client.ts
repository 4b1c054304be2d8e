// A plain Ledger API client for the sandbox's tests: promises, and nothing that forgives.
import {
  type ChannelCredentials,
  type ClientReadableStream,
  credentials as channelCredentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  GetParticipantIdRequest,
  PartyManagementServiceClient,
} from '#proto/com/daml/ledger/api/v2/admin/party_management_service.js';
import {
  CommandCompletionServiceClient,
  CompletionStreamRequest,
  type CompletionStreamResponse,
} from '#proto/com/daml/ledger/api/v2/command_completion_service.js';
import {
  CommandServiceClient,
  SubmitAndWaitRequest,
  type SubmitAndWaitResponse,
} from '#proto/com/daml/ledger/api/v2/command_service.js';
import type { Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import type { Completion } from '#proto/com/daml/ledger/api/v2/completion.js';
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import type { OffsetCheckpoint } from '#proto/com/daml/ledger/api/v2/offset_checkpoint.js';
import {
  GetActiveContractsRequest,
  type GetActiveContractsResponse,
  GetLedgerEndRequest,
  StateServiceClient,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import type { Transaction } from '#proto/com/daml/ledger/api/v2/transaction.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  InterfaceFilter,
  TemplateFilter,
  TransactionFormat,
  TransactionShape,
  UpdateFormat,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { GetUpdateByIdRequest, UpdateServiceClient } from '#proto/com/daml/ledger/api/v2/update_service.js';
import { VersionServiceClient } from '#proto/com/daml/ledger/api/v2/version_service.js';
import type { Sandbox } from '../../src/sandbox/index.js';
import { HANG_MS } from '../support/time.js';
import {
  FACTORY_TEMPLATE,
  HOLDING_INTERFACE,
  identifier,
  type TransferSpec,
  transferCommands,
} from './transfer-commands.js';

/** How long a test waits for what must come. */
const PATIENCE_MS = HANG_MS;

export class LedgerClient {
  readonly commands: CommandServiceClient;
  readonly completions: CommandCompletionServiceClient;
  readonly state: StateServiceClient;
  readonly updates: UpdateServiceClient;
  readonly version: VersionServiceClient;
  readonly parties: PartyManagementServiceClient;
  #factory: string | undefined;

  constructor(
    readonly sandbox: Pick<Sandbox, 'url' | 'issuer' | 'synchronizerId'>,
    readonly metadata = new Metadata(),
    readonly credentials: ChannelCredentials = channelCredentials.createInsecure(),
  ) {
    const creds = this.credentials;
    const options = {
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 100,
    };
    this.commands = new CommandServiceClient(sandbox.url, creds, options);
    const channelOverride = this.commands.getChannel();
    this.completions = new CommandCompletionServiceClient(sandbox.url, creds, { channelOverride });
    this.state = new StateServiceClient(sandbox.url, creds, { channelOverride });
    this.updates = new UpdateServiceClient(sandbox.url, creds, { channelOverride });
    this.version = new VersionServiceClient(sandbox.url, creds, { channelOverride });
    this.parties = new PartyManagementServiceClient(sandbox.url, creds, { channelOverride });
  }

  close(): void {
    this.commands.close();
  }

  async transferCommands(spec: TransferSpec): Promise<Commands> {
    this.#factory ??= (await this.active(this.sandbox.issuer, FACTORY_TEMPLATE))[0]?.contractId;
    return transferCommands(spec, this.sandbox, this.#factory ?? `00${'fa'.repeat(32)}`);
  }

  async transfer(spec: TransferSpec, cancel?: AbortSignal): Promise<SubmitAndWaitResponse> {
    return this.submit(await this.transferCommands(spec), cancel);
  }

  submit(commands: Commands, cancel?: AbortSignal): Promise<SubmitAndWaitResponse> {
    return call((callback) => {
      const request = new SubmitAndWaitRequest({ commands });
      const deadline = Date.now() + PATIENCE_MS;
      const sent = this.commands.SubmitAndWait(request, this.metadata, { deadline }, callback);
      cancel?.addEventListener('abort', () => sent.cancel());
    });
  }

  async ledgerEnd(): Promise<number> {
    const response = await call<{ offset: string }>((callback) =>
      this.state.GetLedgerEnd(new GetLedgerEndRequest(), this.metadata, callback),
    );
    return Number(response.offset);
  }

  async participantId(): Promise<string> {
    const response = await call<{ participantId: string }>((callback) =>
      this.parties.GetParticipantId(new GetParticipantIdRequest(), this.metadata, callback),
    );
    return response.participantId;
  }

  async active(
    party: string,
    of: string,
    options: { offset?: number; blob?: boolean; view?: boolean; verbose?: boolean } = {},
  ): Promise<CreatedEvent[]> {
    const entries = await this.entries(party, of, options);
    return entries.flatMap((entry) => entry.activeContract?.createdEvent ?? []);
  }

  /** Also what is in the middle of a reassignment. */
  async entries(
    party: string,
    of: string,
    options: { offset?: number; blob?: boolean; view?: boolean; verbose?: boolean } = {},
  ): Promise<GetActiveContractsResponse[]> {
    const offset = options.offset ?? (await this.ledgerEnd());
    const includeCreatedEventBlob = options.blob ?? false;
    const cumulative =
      /Holding$|:TransferFactory$/.test(of) && of.includes('splice')
        ? new CumulativeFilter({
            interfaceFilter: new InterfaceFilter({
              interfaceId: identifier(of),
              includeInterfaceView: options.view ?? false,
              includeCreatedEventBlob,
            }),
          })
        : new CumulativeFilter({
            templateFilter: new TemplateFilter({ templateId: identifier(of), includeCreatedEventBlob }),
          });
    const eventFormat = new EventFormat({
      filtersByParty: new Map([[party, new Filters({ cumulative: [cumulative] })]]),
      verbose: options.verbose ?? true,
    });
    const stream: ClientReadableStream<GetActiveContractsResponse> = this.state.GetActiveContracts(
      new GetActiveContractsRequest({ activeAtOffset: `${offset}`, eventFormat }),
      this.metadata,
    );
    const entries: GetActiveContractsResponse[] = [];
    for await (const item of stream) entries.push(item as GetActiveContractsResponse);
    return entries;
  }

  async holdings(party: string): Promise<string[]> {
    return (await this.active(party, HOLDING_INTERFACE)).map((event) => event.contractId);
  }

  async update(
    updateId: string,
    party: string,
    shape = TransactionShape.TRANSACTION_SHAPE_ACS_DELTA,
  ): Promise<Transaction> {
    const eventFormat = new EventFormat({ filtersByParty: new Map([[party, new Filters()]]), verbose: true });
    const updateFormat = new UpdateFormat({
      includeTransactions: new TransactionFormat({ eventFormat, transactionShape: shape }),
    });
    const response = await call<{ transaction: Transaction | undefined }>((callback) =>
      this.updates.GetUpdateById(
        new GetUpdateByIdRequest({ updateId, updateFormat }),
        this.metadata,
        callback,
      ),
    );
    if (!response.transaction) throw new Error('no transaction in the answer');
    return response.transaction;
  }

  completionStream(
    parties: readonly string[],
    beginExclusive: number,
    userId = 'mempool-submitter',
  ): CompletionReader {
    const request = new CompletionStreamRequest({
      userId,
      parties: [...parties],
      beginExclusive: `${beginExclusive}`,
    });
    return new CompletionReader(this.completions.CompletionStream(request, this.metadata));
  }
}

export type StreamItem = { readonly completion: Completion } | { readonly checkpoint: OffsetCheckpoint };

export class CompletionReader {
  readonly items: StreamItem[] = [];
  error: ServiceError | undefined;
  /** With which of gRPC's codes. */
  readonly ended: Promise<number>;
  #wake: () => void = () => {};

  constructor(private readonly stream: ClientReadableStream<CompletionStreamResponse>) {
    stream.on('data', ({ completion, offsetCheckpoint: checkpoint }: CompletionStreamResponse) => {
      if (completion) this.items.push({ completion });
      if (checkpoint) this.items.push({ checkpoint });
      this.#wake();
    });
    this.ended = new Promise((resolve) => stream.on('status', ({ code }) => resolve(code)));
    stream.on('error', (error: ServiceError) => {
      this.error = error;
      this.#wake();
    });
  }

  get completions(): Completion[] {
    return this.items.flatMap((item) => ('completion' in item ? [item.completion] : []));
  }

  get checkpoints(): OffsetCheckpoint[] {
    return this.items.flatMap((item) => ('checkpoint' in item ? [item.checkpoint] : []));
  }

  /** As soon as it holds. */
  until(holds: (reader: CompletionReader) => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the stream did not come to that: ${this.items.length} items`)),
        timeoutMs,
      );
      this.#wake = () => {
        const done = holds(this);
        if (!done && !this.error) return;
        clearTimeout(timer);
        this.#wake = () => {};
        if (done) resolve();
        else reject(this.error);
      };
      this.#wake();
    });
  }

  async completionOf(commandId: string): Promise<Completion> {
    const found = () => this.completions.find((it) => it.commandId === commandId);
    await this.until(() => found() !== undefined);
    const completion = found();
    if (!completion) throw new Error('unreachable');
    return completion;
  }

  cancel(): void {
    this.stream.cancel();
  }
}

export function recordTimeOf(of: Completion | OffsetCheckpoint): number {
  const time = 'commandId' in of ? of.synchronizerTime : of.synchronizerTimes[0];
  const { seconds = 0, nanos = 0 } = time?.recordTime ?? {};
  return seconds * 1_000_000 + Math.floor(nanos / 1000);
}

export function call<T>(
  start: (callback: (error: ServiceError | null, value?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error || value === undefined ? reject(error) : resolve(value)));
  });
}

/** The error that a call must end with. */
export async function failing(promise: Promise<unknown>): Promise<ServiceError> {
  try {
    await promise;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('the call did not fail');
}
