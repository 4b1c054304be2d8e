import type { Holdings } from '../core/holding.js';
import type { Micros, Offset, Party } from '../core/ids.js';
import type {
  HostedSubmission,
  Priced,
  SignedSubmission,
  Transfer,
  TransferFactory,
  TransferTerms,
} from '../core/transfer.js';
import type { CompletionEvent, Outcome, Refusal } from '../protocol/outcome.js';

/** The transfer that an update made. */
export interface TransferEffect {
  readonly updateId: string;
  readonly commandId: string;
  readonly sender: string;
  readonly receiver: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly amount: bigint;
  readonly result: TransferResult;
}

/**
 * What the choice answered (CIP-56's `TransferInstructionResult_Output`): `pending` is an offer, and `failed` commits with
 * nothing moved. Null where that is not shown: to the receiver's side, or by our own token's event.
 */
export type TransferResult = 'completed' | 'pending' | 'failed' | null;

/** A call that does not submit has failed; nothing changed on the ledger. */
export type ReadFailure = {
  readonly kind: 'failed-read';
  readonly refusal: Refusal;
  readonly pruned: boolean;
};

/** A failure that arose in this process. `everybodys`: it concerns every row, not this one's sender alone. */
export const localFailure = (errorId: string, detail: string, everybodys: boolean): ReadFailure => ({
  kind: 'failed-read',
  refusal: {
    kind: everybodys ? 'not-the-row' : 'try-again',
    blame: everybodys ? 'all' : 'sender',
    errorId,
    detail,
    retryAfterMs: null,
  },
  pruned: false,
});

export interface ApiVersion {
  readonly version: string;
  /** Null: the participant does not say. */
  readonly checkpointDelayMs: number | null;
}

/** The token may not ask, or this participant, or a gateway in front of it, has no such call. */
const CLOSED = new Set(['GRPC_PERMISSION_DENIED', 'PERMISSION_DENIED', 'GRPC_UNIMPLEMENTED']);

export const isClosed = ({ refusal }: ReadFailure): boolean => CLOSED.has(refusal.errorId);

export type Read<T> = { readonly kind: 'read'; readonly value: T } | ReadFailure;

/** The error id of a `prepare` whose transaction hashing scheme V2 cannot express: only a synchronizer with V3 can. */
export const UNHASHABLE = 'UNHASHABLE_IN_V2';

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** For a call that submits. */
export interface SendOptions extends CallOptions {
  /** Asked in the tick in which the request would leave. If it gives a reason, the request does not leave (I1, P8). */
  readonly mayNotLeave?: () => string | null;
}

/** The participant. Reads return failures as values; no method throws for anything that a participant may answer. */
export interface Ledger {
  /** The channel is READY now: a call made in this tick leaves on it. */
  ready(): boolean;
  ledgerEnd(options: CallOptions): Promise<Read<Offset>>;
  /**
   * Everything that each of the parties sees at that ledger end, including what is locked, elsewhere, in reassignment or
   * unreadable. One read for all of them: it fails for all where it fails for one. `most`: with more contracts than this it
   * fails too.
   */
  holdings(
    parties: readonly Party[],
    at: Offset,
    options: CallOptions & { readonly most?: number },
  ): Promise<Read<ReadonlyMap<Party, Holdings>>>;
  /** Ids of the synchronizers on which the participant hosts the party. */
  synchronizersOf(party: Party | null, options: CallOptions): Promise<Read<readonly string[]>>;
  /** Contract ids of the instrument admin's transfer factories at that ledger end. */
  transferFactories(admin: string, at: Offset, options: CallOptions): Promise<Read<readonly string[]>>;
  /** Asks another admin's registry for the factory of exactly this transfer. */
  registryFactory(
    registryUrl: string,
    terms: TransferTerms,
    options: CallOptions,
  ): Promise<Read<Extract<TransferFactory, { kind: 'registry' }>>>;
  /** `SubmitAndWait`, sent at most once, only on a READY channel. */
  submit(submission: HostedSubmission, options: SendOptions): Promise<Outcome>;
  /** `PrepareSubmission`: changes nothing on the ledger, so it fails as a read does. Record times in µs. */
  prepare(transfer: Transfer, maxRecordTime: Micros, options: CallOptions): Promise<Read<Priced>>;
  /** `ExecuteSubmissionAndWait`, sent at most once, only on a READY channel. */
  execute(submission: SignedSubmission, options: SendOptions): Promise<Outcome>;
  /** The acceptance of the transaction that was signed with this hash (from 3.6 on). Null proves nothing. */
  acceptedByHash(
    hash: Uint8Array,
    options: CallOptions,
  ): Promise<Read<Extract<CompletionEvent, { kind: 'accepted' }> | null>>;
  /** Ends when `signal` aborts, or with a ReadFailure as its return value. */
  completions(
    request: {
      readonly parties: readonly Party[];
      readonly beginExclusive: Offset;
      /** Whose submissions; absent: our own user's. */
      readonly userId?: string;
    },
    signal: AbortSignal,
  ): AsyncGenerator<CompletionEvent, ReadFailure | null>;
  /** The transfer that an update made; null: none that the parties see; `absent`: there is no such update. */
  transferOf(
    updateId: string,
    parties: readonly Party[],
    options: CallOptions,
  ): Promise<Read<TransferEffect | null | 'absent'>>;
  /** The offset of that update, or null where there is no such update. */
  updateOffset(updateId: string, party: Party, options: CallOptions): Promise<Read<Offset | null>>;
  /** Everything up to this offset is pruned; 0: nothing is. */
  prunedUpTo(options: CallOptions): Promise<Read<Offset>>;
  participantId(options: CallOptions): Promise<Read<string>>;
  /** The ledger user: the configured one, else the subject of the token. */
  userId(options: CallOptions): Promise<Read<string>>;
  version(options: CallOptions): Promise<Read<ApiVersion>>;
  /** Calls back whenever READY changes; returns a function that ends this. */
  onReady(listener: (ready: boolean) => void): () => void;
}
