// An external party as a test plays it: prepares, signs with Node's own crypto, executes. It looks at nothing before
// it signs: what the ledger makes of that is what these tests are about.
import { createECDH, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { Signature, SignatureFormat, SigningAlgorithmSpec } from '#proto/com/daml/ledger/api/v2/crypto.js';
import {
  ExecuteSubmissionAndWaitRequest,
  type ExecuteSubmissionAndWaitResponse,
  ExecuteSubmissionRequest,
  InteractiveSubmissionServiceClient,
  PartySignatures,
  PrepareSubmissionRequest,
  type PrepareSubmissionResponse,
  SinglePartySignatures,
} from '#proto/com/daml/ledger/api/v2/interactive/interactive_submission_service.js';
import { Timestamp } from '#proto/google/protobuf/timestamp.js';
import type { ExternalParty } from '../../src/sandbox/index.js';
import { HANG_MS } from '../support/time.js';
import { call, type LedgerClient } from './client.js';
import { confirmLater } from './confirmed.js';
import type { TransferSpec } from './transfer-commands.js';

export const V2 = 2;

export interface PrepareOptions {
  /** Microseconds; null: none is asked for. Default: in 30 s. */
  readonly maxRecordTime?: number | null;
  readonly hashingSchemeVersion?: number;
  /** In place of what is made of the transfer. */
  readonly request?: Partial<PrepareSubmissionRequest>;
}

export type ExecuteOptions = Partial<
  Pick<
    ExecuteSubmissionAndWaitRequest,
    | 'submissionId'
    | 'userId'
    | 'hashingSchemeVersion'
    | 'deduplicationOffset'
    | 'deduplicationDuration'
    | 'partySignatures'
    | 'preparedTransaction'
  >
>;

export class ExternalClient {
  readonly interactive: InteractiveSubmissionServiceClient;

  constructor(readonly ledger: LedgerClient) {
    const channelOverride = ledger.commands.getChannel();
    const { url } = ledger.sandbox;
    this.interactive = new InteractiveSubmissionServiceClient(url, ledger.credentials, { channelOverride });
  }

  async prepare(
    spec: TransferSpec,
    options: PrepareOptions = {},
    patienceMs = HANG_MS,
  ): Promise<PrepareSubmissionResponse> {
    const request = prepareRequest(await this.ledger.transferCommands(spec), options);
    const deadline = Date.now() + patienceMs;
    const prepared = await call<PrepareSubmissionResponse>((callback) =>
      this.interactive.PrepareSubmission(request, this.ledger.metadata, { deadline }, callback),
    );
    confirmLater(prepared.preparedTransaction);
    return prepared;
  }

  execute(
    prepared: PrepareSubmissionResponse,
    party: ExternalParty,
    options: ExecuteOptions = {},
    cancel?: AbortSignal,
  ): Promise<ExecuteSubmissionAndWaitResponse> {
    const request = executeRequest(prepared, party, options);
    return call((callback) => {
      const deadline = Date.now() + HANG_MS;
      const { metadata } = this.ledger;
      const sent = this.interactive.ExecuteSubmissionAndWait(request, metadata, { deadline }, callback);
      cancel?.addEventListener('abort', () => sent.cancel());
    });
  }

  /** Prepared, signed and executed. */
  async transfer(
    spec: TransferSpec,
    party: ExternalParty,
    options: ExecuteOptions = {},
  ): Promise<ExecuteSubmissionAndWaitResponse> {
    return this.execute(await this.prepare(spec), party, { submissionId: `s-${spec.commandId}`, ...options });
  }
}

function prepareRequest(
  commands: Awaited<ReturnType<LedgerClient['transferCommands']>>,
  { maxRecordTime, hashingSchemeVersion, request = {} }: PrepareOptions,
): PrepareSubmissionRequest {
  const bound = maxRecordTime === undefined ? (Date.now() + 30_000) * 1000 : maxRecordTime;
  const prepare = new PrepareSubmissionRequest({
    userId: commands.userId,
    commandId: commands.commandId,
    commands: commands.commands,
    actAs: commands.actAs,
    readAs: commands.readAs,
    synchronizerId: commands.synchronizerId,
    disclosedContracts: commands.disclosedContracts,
    ...(bound === null ? {} : { maxRecordTime: timestamp(bound) }),
    ...(hashingSchemeVersion === undefined ? {} : { hashingSchemeVersion }),
  });
  return Object.assign(prepare, request);
}

function executeRequest(
  prepared: PrepareSubmissionResponse,
  party: ExternalParty,
  options: ExecuteOptions = {},
): ExecuteSubmissionAndWaitRequest {
  const request = new ExecuteSubmissionAndWaitRequest({
    preparedTransaction: prepared.preparedTransaction,
    partySignatures: signatures(party, prepared.preparedTransactionHash),
    submissionId: 'submission',
    userId: 'mempool-submitter',
    hashingSchemeVersion: prepared.hashingSchemeVersion,
  });
  return Object.assign(request, options);
}

/** For ExecuteSubmission: the same fields. */
export function ackRequest(
  prepared: PrepareSubmissionResponse,
  party: ExternalParty,
): ExecuteSubmissionRequest {
  return ExecuteSubmissionRequest.deserialize(executeRequest(prepared, party).serialize());
}

export function signatures(
  party: ExternalParty,
  hash: Uint8Array,
  other: Partial<Pick<Signature, 'format' | 'signature' | 'signedBy' | 'signingAlgorithmSpec'>> = {},
): PartySignatures {
  const signature = new Signature({
    format: SignatureFormat.SIGNATURE_FORMAT_DER,
    signature: sign('sha256', hash, privateKeyOf(party)),
    signedBy: party.fingerprint,
    signingAlgorithmSpec: SigningAlgorithmSpec.SIGNING_ALGORITHM_SPEC_EC_DSA_SHA_256,
  });
  const single = new SinglePartySignatures({
    party: party.party,
    signatures: [Object.assign(signature, other)],
  });
  return new PartySignatures({ signatures: [single] });
}

function privateKeyOf({ privateKey }: ExternalParty): KeyObject {
  if (privateKey === null) throw new Error('the key is elsewhere');
  const curve = createECDH('secp256k1');
  curve.setPrivateKey(Buffer.from(privateKey, 'hex'));
  const point = curve.getPublicKey();
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), curve.getPrivateKey()];
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const key = { kty: 'EC', crv: 'secp256k1', x: text(x), y: text(y), d: text(d) };
  return createPrivateKey({ key, format: 'jwk' });
}

export function timestamp(micros: number): Timestamp {
  const seconds = Math.floor(micros / 1_000_000);
  return new Timestamp({ seconds, nanos: (micros - seconds * 1_000_000) * 1000 });
}

/** What the prepared transaction says, read with the official bindings. */
export function contentOf({ preparedTransaction }: PrepareSubmissionResponse) {
  const { transaction, metadata } = PreparedTransaction.fromBinary(preparedTransaction);
  if (!transaction || !metadata) throw new Error('no prepared transaction');
  return { transaction, metadata };
}
