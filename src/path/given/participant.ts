// The pinned participant as the steps see it: what was verified, what speaks against it, and what they may ask and tell.
import type { DbMillis, Micros, Offset, TxHash } from '../../core/ids.js';
import type { NotReady } from '../../observe/events.js';
import type { Pinned } from '../../ports/store.js';
import type { Refusal, SynchronizerTime } from '../../protocol/outcome.js';
import type { Mark } from '../../protocol/proof.js';
import type { SubmissionRecord } from '../../protocol/record.js';

/** What this instance checked itself against, and may claim under. */
export interface Verified {
  readonly kind: 'verified';
  readonly pinned: Pinned;
  readonly participantId: string;
  /** The token may ask for the participant id; otherwise the operator's word stands for it. */
  readonly mayAskId: boolean;
  /** It can be asked for an acceptance by its hash (from 3.6 on). */
  readonly looksUpHashes: boolean;
  /** Its active contracts include those in reassignment (before 3.7). */
  readonly tellsReassignments: boolean;
  /** How long a look waits for the ledger to decide. */
  readonly patienceMs: number;
  /** The ledger end when all this was checked. */
  readonly end: Offset;
}

/** Why nobody may claim, and by how much a bound was missed. */
export interface Halt {
  readonly reason: string;
  readonly lateMs: number;
}

/** What speaks against the participant that was verified. */
export type Doubt =
  /** Not the participant's fault, and nothing for a person to look at. */
  | { readonly kind: 'pins-changed' }
  /** It has no update, or its stream no completion, where the marked one was. */
  | { readonly kind: 'mark-missed'; readonly where: 'update' | 'stream' }
  | { readonly kind: 'another-id'; readonly id: string; readonly verified: string }
  | { readonly kind: 'end-behind'; readonly end: Offset; readonly known: Offset }
  | { readonly kind: 'halted'; readonly why: Halt };

/** What processes must agree on, since they would break each other's work otherwise (P30). */
export interface Disagreement {
  readonly kind: 'disagreement';
  readonly about: 'PROTOCOL' | 'LANES' | 'LEDGER_TIME_TOLERANCE_MS' | 'SAME_NONCE';
  readonly mine: string | number;
  readonly pinned: string | number;
}

/** Why this instance claims nothing: something speaks against the participant, or its check failed or could not be made. */
export type Unready =
  | { readonly kind: 'not-connected' | 'connection-lost' | 'moved-meanwhile' | 'id-unknown' }
  | { readonly kind: 'not-migrated' | 'identity-hidden' | 'rechecking' | 'being-pinned' }
  | { readonly kind: 'doubt'; readonly doubt: Doubt }
  | { readonly kind: 'pins-unread' | 'unreachable'; readonly detail: string }
  | { readonly kind: 'halted-before'; readonly reason: string }
  | Disagreement
  /** The participant did not answer one of the questions. */
  | {
      readonly kind: 'unread';
      readonly what: 'version' | 'user' | 'id' | 'end';
      readonly refusal: Pick<Refusal, 'errorId' | 'detail'>;
    }
  | { readonly kind: 'api-version'; readonly version: string }
  | { readonly kind: 'not-as-configured'; readonly id: string; readonly configured: string }
  | { readonly kind: 'ends-earlier'; readonly end: Offset; readonly pinned: Offset }
  | { readonly kind: 'update-missing'; readonly updateId: string; readonly id: string }
  | {
      readonly kind: 'pinned-otherwise';
      readonly key: 'id' | 'userId' | 'synchronizerId';
      readonly mine: string;
      readonly pinned: string;
    };

/** In words: what is wrong and, where a person has to act, what to do. */
export function blockerOf(why: Unready): NotReady {
  switch (why.kind) {
    case 'not-connected':
      return participant('not connected yet');
    case 'connection-lost':
      return participant('the connection to the participant is lost');
    case 'unreachable':
      return participant(`the participant cannot be reached${why.detail === '' ? '' : `: ${why.detail}`}`);
    case 'unread':
      return participant(`${QUESTION[why.what]}: ${why.refusal.errorId}: ${why.refusal.detail}`);
    case 'api-version':
      return participant(
        `the participant speaks Ledger API ${why.version}; this service needs 3.x: upgrade it, or correct CANTON_URL`,
      );
    case 'id-unknown':
      return participant('this token may not ask for the participant id: set CANTON_PARTICIPANT_ID');
    case 'not-as-configured':
      return participant(
        `the participant is ${why.id}, but CANTON_PARTICIPANT_ID says ${why.configured}: correct it, or CANTON_URL`,
      );
    case 'ends-earlier':
      return participant(
        `the participant's ledger ends at ${why.end}, before ${why.pinned} seen earlier: it lags, or was restored from a backup (docs/runbooks.md, "The participant was restored from a backup")`,
      );
    case 'update-missing':
      return participant(
        `the participant does not show update ${why.updateId}, which ${why.id} has shown: it is another one, or restored from a backup`,
      );
    case 'moved-meanwhile':
      return participant(
        'another participant answered while it was checked, or its id could not be read: it is checked again',
      );
    case 'pinned-otherwise':
      return participant(
        `${PINNED[why.key]} is ${why.mine}, but this database is pinned to ${why.pinned}: point ${why.key === 'id' ? 'CANTON_URL' : 'the setting'} back, or see \`migrate --repin\``,
      );
    case 'doubt':
      return participant(doubtWords(why.doubt));
    case 'not-migrated':
      return {
        part: 'schema',
        reason: 'the database is not migrated: run `canton-submitter migrate`',
      };
    case 'pins-unread':
      return pins(`the pinned row (mempool_submitter_v1) cannot be read: ${why.detail}`);
    case 'disagreement':
      return pins(disagreementWords(why));
    case 'halted-before':
      return { part: 'halted', reason: `halted: ${why.reason}` };
    case 'identity-hidden':
      return pins(
        "the database's timeline is pinned, but this role may no longer read it: grant it pg_control_system() and pg_walfile_name(pg_lsn)",
      );
    case 'being-pinned':
      return pins(
        'another instance is pinning the participant: this one resumes on its own once that is done',
      );
    case 'rechecking':
      return pins(
        'another instance is preparing the pending rows for a look, after a failover or a restore: this one resumes on its own once that is done',
      );
  }
}

const participant = (reason: string): NotReady => ({ part: 'participant', reason });
const pins = (reason: string): NotReady => ({ part: 'pins', reason });

const QUESTION = {
  version: "the participant's API version cannot be read",
  user: 'the ledger user of our token cannot be read',
  id: "the participant's id cannot be read",
  end: "the participant's ledger end cannot be read",
} as const;

const PINNED = {
  id: 'the participant',
  userId: 'CANTON_USER_ID',
  synchronizerId: 'CANTON_SYNCHRONIZER_ID',
} as const;

export function disagreementWords({ about, mine, pinned }: Disagreement): string {
  if (about === 'PROTOCOL')
    return `the database speaks protocol ${pinned}, this version ${mine}: run one version everywhere, after its \`migrate\``;
  const lower = typeof mine === 'number' && mine < Number(pinned) ? 'lower-' : '';
  return `${about} is ${mine} here and ${pinned} in the database: correct it here, or pin it for all with \`migrate --${lower}${PIN_WITH[about]} ${mine}\``;
}

const PIN_WITH = {
  LANES: 'lanes',
  LEDGER_TIME_TOLERANCE_MS: 'tolerance',
  SAME_NONCE: 'same-nonce',
} as const;

export function doubtWords(doubt: Doubt): string {
  switch (doubt.kind) {
    case 'pins-changed':
      return 'the pinned row changed';
    case 'mark-missed':
      return doubt.where === 'update'
        ? 'the participant does not show the marked update'
        : "the participant's completion stream does not show the marked completion";
    case 'another-id':
      return `the participant is ${doubt.id}, not ${doubt.verified}`;
    case 'end-behind':
      return `the participant's ledger ends at ${doubt.end}, but ${doubt.known} was seen earlier`;
    case 'halted':
      return doubt.why.reason;
  }
}

/** A submission of ours: when it was sent and answered on the database's clock, and its record time. */
export interface ClockSample {
  readonly sentAt: DbMillis;
  readonly answeredAt: DbMillis;
  readonly recordTime: Micros;
}

/** A submission that this instance sent and that was answered. Times are the database's. */
export interface OwnSubmission extends Omit<ClockSample, 'recordTime'> {
  readonly record: SubmissionRecord;
  readonly txHash: TxHash;
}

/**
 * The right participant (P8, P27; `participant/participant.ts`): on connect, and whenever something speaks against it,
 * it is compared with the pinned row. Until it has passed, this instance claims nothing and says why.
 */
export interface Participant {
  start(): void;
  stop(): Promise<void>;
  /** Null: claim nothing, send nothing, look at nothing. */
  verified(): Verified | null;
  /**
   * The offset that a submission's completion is certain to lie after: a ledger end read between two proofs. Never that
   * of whoever answered last, who may be another participant and ahead of ours.
   */
  sentFrom(): Offset;
  /** The highest ledger end that was answered since the check: nothing may be read before it. */
  ledgerEnd(): Offset;
  /**
   * The ledger ends before an end that was proven, or an acceptance that was shown, since this process started: a replica that
   * lags, or a restored participant that is catching up. Rows are still sent there, but no balance is judged too small.
   */
  mayLag(): boolean;
  sawLedgerEnd(offset: Offset): void;
  /** An acceptance this instance was shown: the next mark, and if it was its own submission, a measurement of the clocks. */
  sawAcceptance(mark: Mark, own?: OwnSubmission): void;
  /** Halts every instance where our own submission was accepted past its bound. */
  checkBound(txHash: TxHash, record: SubmissionRecord, time: SynchronizerTime | null): void;
  /** Is this still the pinned participant, with its history? For verdicts that depend on the ledger's state. */
  prove(signal: AbortSignal): Promise<'proven' | 'unsure' | 'another'>;
  /** Whether undecided rows can be found dead at all: not where the mark is pruned and the id may not be asked. */
  provable(yes: boolean): void;
  /** Check again before anything else is claimed. */
  doubt(why: Doubt): void;
}
