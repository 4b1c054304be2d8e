// One transfer as the plainest code does it, for every system but ours: the ledger end, the sender's holdings there, the
// call; for an external sender prepare, sign, execute. No lease, no record, no look, no doubt.
import { createECDH, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { CommandServiceClient, SubmitAndWaitRequest } from '#proto/com/daml/ledger/api/v2/command_service.js';
import {
  InteractiveSubmissionServiceClient,
  type PrepareSubmissionResponse,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import {
  GetActiveContractsRequest,
  type GetActiveContractsResponse,
  GetLedgerEndRequest,
  type GetLedgerEndResponse,
  StateServiceClient,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  InterfaceFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { dbMillis, microsOf, party, type TxHash } from '../../../src/core/ids.js';
import type { Transfer } from '../../../src/core/transfer.js';
import { executeRequest, prepareRequest } from '../../../src/ledger/external.js';
import { defaultPackages, type LedgerSettings } from '../../../src/ledger/settings.js';
import { commandsOf } from '../../../src/ledger/transfer-command.js';
import { identifier } from '../../../src/ledger/values.js';

/** What a row says, as JSON, for systems whose rows are theirs. */
export interface Job {
  /** `0x…`, the command id. */
  readonly hash: string;
  readonly sender: string;
  readonly receiver: string;
  /** An external sender's private key, 32 bytes as hex. */
  readonly key?: string;
}

const WINDOW_MS = 30_000;
const {
  CANTON_URL = '',
  CANTON_USER_ID = '',
  CANTON_SYNCHRONIZER_ID = '',
  CANTON_ISSUER_PARTY = '',
} = process.env;
const { BENCH_FACTORY = '' } = process.env;
const settings: LedgerSettings = {
  userId: CANTON_USER_ID,
  synchronizerId: CANTON_SYNCHRONIZER_ID,
  issuerParty: party(CANTON_ISSUER_PARTY),
  packages: defaultPackages,
};
const insecure = credentials.createInsecure();
const commands = new CommandServiceClient(CANTON_URL, insecure);
const interactive = new InteractiveSubmissionServiceClient(CANTON_URL, insecure);
const state = new StateServiceClient(CANTON_URL, insecure);

export async function transfer(job: Job): Promise<void> {
  const end = await answer<GetLedgerEndResponse>((done) =>
    state.GetLedgerEnd(new GetLedgerEndRequest(), new Metadata(), done),
  );
  const holdings = await holdingsOf(job.sender, end.offset);
  const now = dbMillis(Date.now());
  const wanted: Transfer = {
    commandId: job.hash as TxHash,
    factory: { kind: 'own', contractId: BENCH_FACTORY },
    sender: party(job.sender),
    receiver: party(job.receiver),
    admin: CANTON_ISSUER_PARTY,
    instrumentId: 'DEMO',
    amount: 10_000_000n,
    holdings,
    requestedAt: microsOf(dbMillis(now - 5_000)),
    executeBefore: microsOf(dbMillis(now + WINDOW_MS)),
  };
  if (job.key === undefined) {
    const body = commandsOf({ ...wanted, submissionId: job.hash }, settings);
    const request = new SubmitAndWaitRequest({ commands: body });
    await answer((done) => commands.SubmitAndWait(request, new Metadata(), done));
    return;
  }
  const asked = prepareRequest(wanted, microsOf(dbMillis(now + WINDOW_MS)), settings, 2);
  const prepared = await answer<PrepareSubmissionResponse>((done) =>
    interactive.PrepareSubmission(asked, new Metadata(), done),
  );
  const request = executeRequest(
    {
      prepared: {
        transaction: prepared.preparedTransaction,
        hash: prepared.preparedTransactionHash,
        scheme: prepared.hashingSchemeVersion,
        askedScheme: 2,
      },
      submissionId: job.hash,
      party: wanted.sender,
      signature: {
        der: sign('sha256', prepared.preparedTransactionHash, keyOf(job.key)),
        fingerprint: job.sender.split('::')[1] ?? '',
      },
    },
    settings,
  );
  await answer((done) => interactive.ExecuteSubmissionAndWait(request, new Metadata(), done));
}

async function holdingsOf(sender: string, end: string): Promise<string[]> {
  const filter = new CumulativeFilter({
    interfaceFilter: new InterfaceFilter({
      interfaceId: identifier(defaultPackages.holding, 'Splice.Api.Token.HoldingV1', 'Holding'),
      includeInterfaceView: true,
    }),
  });
  const request = new GetActiveContractsRequest({
    activeAtOffset: end,
    eventFormat: new EventFormat({
      filtersByParty: new Map([[sender, new Filters({ cumulative: [filter] })]]),
      verbose: true,
    }),
  });
  const found: string[] = [];
  for await (const message of state.GetActiveContracts(request)) {
    const { activeContract } = message as GetActiveContractsResponse;
    if (activeContract?.createdEvent) found.push(activeContract.createdEvent.contractId);
  }
  return found;
}

/** A unary call as a promise; `call` hands its callback on. */
const answer = <Answer>(
  call: (done: (error: ServiceError | null, value?: Answer) => void) => unknown,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    call((error, value) =>
      error === null && value !== undefined ? resolve(value) : reject(error ?? new Error('no answer')),
    );
  });

const keys = new Map<string, KeyObject>();

/** Made once a sender: the plainest code keeps its keys. */
function keyOf(hex: string): KeyObject {
  const known = keys.get(hex);
  if (known !== undefined) return known;
  const curve = createECDH('secp256k1');
  curve.setPrivateKey(Buffer.from(hex, 'hex'));
  const point = curve.getPublicKey();
  const coordinate = (from: number): string => point.subarray(from, from + 32).toString('base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'secp256k1',
      d: Buffer.from(hex, 'hex').toString('base64url'),
      x: coordinate(1),
      y: coordinate(33),
    },
  });
  keys.set(hex, key);
  return key;
}
