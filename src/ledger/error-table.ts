// Canton's error ids, one row each: what the id says of a submission, what of a read, and why.
// Not from `definite_answer`: that flag says "false" even of requests that the participant never read.
import type { LedgerStatus } from './status.js';

/** What an id says about the submission that it answers. */
export type SubmissionVerdict =
  /** Certain: a Daml rule judged this very transfer, and no later attempt could pass. */
  | 'for-good'
  /** Certain; the row may pass later. */
  | 'again'
  /** Certain, and perhaps specific to the sender or the receiver: topology, which changes. */
  | 'of-sender'
  | 'of-receiver'
  /** Certain: the Ledger API does not accept the request. Our configuration, a bug of ours, or one strange row. */
  | 'of-request'
  /** Certain: more than the participant accepts at the moment. */
  | 'overload'
  /** Certain: it was not sequenced or confirmed in time, or not within its times. */
  | 'unconfirmed'
  /** Certain, and not the row's fault: it affects everybody, or this sender's account, or this token. */
  | 'everybody'
  | 'sender'
  | 'token'
  /** An acceptance of the same command exists. */
  | 'duplicate'
  /** This submission or an earlier one may still commit: only the completion stream can tell. */
  | 'unknown';

/** What it says about a read, where that does not follow: a failed read is never final, because it judges no row. */
export type ReadVerdict = Exclude<SubmissionVerdict, 'for-good' | 'duplicate' | 'unknown'>;

export interface ErrorRow {
  readonly verdict: SubmissionVerdict;
  readonly why: string;
  readonly onRead?: ReadVerdict;
}

const rows = (verdict: SubmissionVerdict, whys: Readonly<Record<string, string>>, onRead?: ReadVerdict) =>
  Object.entries(whys).map(([ids, why]) =>
    ids.split(' ').map((id): [string, ErrorRow] => [id, { verdict, why, ...(onRead && { onRead }) }]),
  );

export const errorTable: ReadonlyMap<string, ErrorRow> = new Map(
  [
    ...rows('duplicate', { DUPLICATE_COMMAND: 'an earlier submission of this command was accepted' }),
    ...rows('unknown', {
      SUBMISSION_ALREADY_IN_FLIGHT: 'another submission of this command is under way, and may commit',
      DUPLICATE_CONFIRMATION_REQUEST_UUID:
        'a copy of this transaction was sequenced; its own result is not told',
      REQUEST_TIME_OUT: 'the participant stopped waiting, the submission goes on',
      ABORTED_DUE_TO_SHUTDOWN: 'the participant stopped waiting, the submission goes on',
      'SYNC_SERVICE_PASSIVE_REPLICA NODE_IS_PASSIVE_REPLICA':
        'may come from a registration that failed half-way',
      'COMMAND_INJECTION_FAILURE SUBMISSION_INTERNAL_ERROR SERVICE_INTERNAL_ERROR LEDGER_API_INTERNAL_ERROR':
        'a fault inside the participant, before or after the submission went out',
    }),
    ...rows('again', {
      LOCAL_VERDICT_LOCKED_CONTRACTS: 'another transaction holds the inputs',
      'LOCAL_VERDICT_INACTIVE_CONTRACTS CONTRACT_NOT_ACTIVE':
        'the inputs were spent meanwhile: choose others',
      CONTRACT_NOT_FOUND: 'the inputs (or the factory) are gone: read them again',
      FAILED_TO_DETERMINE_LEDGER_TIME: 'contention on the inputs',
      INCONSISTENT: 'the inputs changed under the transaction',
      'UNKNOWN_CONTRACT_SYNCHRONIZER UNKNOWN_CONTRACT_SYNCHRONIZERS':
        'a race with the creation or the archival of an input, up to 30 s',
      LEDGER_TIME_OUTSIDE_BOUNDS: 'a question of time, not of the request',
      TEMPLATE_PRECONDITION_VIOLATED:
        'of a contract that the choice makes from the inputs chosen this time; others may pass',
      INVALID_DEDUPLICATION_PERIOD: 'refused before sending; never answered by asking for a shorter window',
    }),
    ...rows('overload', {
      'PARTICIPANT_BACKPRESSURE PARTICIPANT_OVERLOADED SERVER_OVERLOADED': 'refused at the door, under load',
      'THREADPOOL_OVERLOADED HEAP_MEMORY_OVER_LIMIT MAXIMUM_NUMBER_OF_STREAMS':
        'refused at the door, under load',
      'SEQUENCER_BACKPRESSURE SEQUENCER_REQUEST_FAILED': 'the sequencer did not take it',
      'SEQUENCER_OVERLOADED SEQUENCER_UNAVAILABLE': 'the sequencer did not take it',
      REQUEST_DEADLINE_EXCEEDED: 'the deadline was over on arrival, nothing was processed',
      INTERPRETATION_TIME_EXCEEDED: 'interpretation was cut off before anything was sent',
    }),
    ...rows('unconfirmed', {
      NOT_SEQUENCED_TIMEOUT: 'its maximum sequencing time passed first',
      MEDIATOR_SAYS_TX_TIMED_OUT: 'too few confirmations in time; the verdict is final',
      LOCAL_VERDICT_TIMEOUT: 'a final rejection by timeout',
      // From protocol version 35 on this is what a slow sequencer looks like: before, the participant gave up by itself.
      LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED: 'sequenced past its own bound',
      LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND: 'sequenced too far from its ledger time',
      LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND: 'sequenced too long after its preparation',
    }),
    ...rows('everybody', {
      'SERVICE_NOT_RUNNING SUBMISSION_DURING_SHUTDOWN': 'the participant is starting or stopping',
      'NOT_CONNECTED_TO_ANY_SYNCHRONIZER NOT_CONNECTED_TO_SYNCHRONIZER': 'the participant is offline',
      NOT_CONNECTED_TO_ALL_CONTRACT_SYNCHRONIZERS: 'the participant is offline on one of its synchronizers',
      UNABLE_TO_GET_TOPOLOGY_SNAPSHOT: 'the participant is offline, or has just connected',
      'AUTOMATIC_REASSIGNMENT_FOR_TRANSACTION_FAILED AUTOMATIC_REASSIGNMENT_FOR_TRANSACTION_FAILURE':
        'contracts cannot be brought to one synchronizer as its topology is now',
      SUBMISSION_SYNCHRONIZER_NOT_READY: 'the synchronizer is not ready',
      'SYNCHRONIZER_WITHOUT_MEDIATOR CHOSEN_MEDIATOR_IS_INACTIVE': 'a change in the topology of mediators',
      UNAUTHENTICATED: 'our token, not the row',
      INVALID_TOKEN: 'our token, not the row',
      PRESCRIBED_SYNCHRONIZER_ID_MISMATCH: 'our configured synchronizer',
      'PACKAGE_NAMES_NOT_FOUND TEMPLATES_OR_INTERFACES_NOT_FOUND': 'a package that the participant lacks',
      'NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME':
        'a package of that name, without what is asked for',
      OUTDATED_TRAFFIC_COST: 'traffic was priced before its price changed',
      SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT: 'the operator must buy traffic',
      TRAFFIC_MULTI_PARTY_SUBMISSION_REJECTED: 'accounts of traffic take one acting party, and we send one',
      'SEQUENCER_SUBMISSION_REQUEST_REFUSED SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR':
        'refused by the sequencer',
      'SEQUENCER_SENDER_UNKNOWN SEQUENCER_SUBMISSION_AFTER_UPGRADE_TIME': 'refused by the sequencer',
    }),
    ...rows('sender', {
      PERMISSION_DENIED: 'a right that our user lacks, perhaps for this sender only',
      TRAFFIC_ACCOUNT_VALIDATION_FAILED: "the sender's own traffic account is used up (3.5.7 on)",
    }),
    ...rows('token', {
      'PACKAGE_NOT_FOUND UNRESOLVED_PACKAGE_NAME': 'a package that is missing, perhaps of one token only',
      'INVALID_DISCLOSED_CONTRACT DISCLOSED_CONTRACT_AUTHENTICATION_FAILED':
        'disclosures, which its registry gave: fetch them again',
      'DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH DISCLOSED_CONTRACT_KEY_HASHING_ERROR':
        'disclosures, which its registry gave',
    }),
    ...rows('of-sender', {
      UNKNOWN_SUBMITTERS: 'not connected to a synchronizer where the sender is known, as topology is now',
      NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT: 'where the sender is hosted, as topology is now',
      SUBMITTERS_NOT_ACTIVE: 'the sender is not active on the synchronizer now',
      'INVALID_EXTERNAL_SIGNATURE INVALID_EXTERNAL_TRANSACTION':
        'not signed by a key of the party, as topology has its keys now',
    }),
    ...rows('of-receiver', {
      UNKNOWN_INFORMEES: 'not connected to a synchronizer where the receiver is known, as topology is now',
      INFORMEES_NOT_ACTIVE: 'the receiver is not active on the synchronizer now',
      'NO_COMMON_SYNCHRONIZER NO_SYNCHRONIZER_FOR_SUBMISSION': 'these parties share no synchronizer now',
      INVALID_PRESCRIBED_SYNCHRONIZER_ID: 'these parties are not all on our configured synchronizer',
      PARTY_CURRENTLY_ONBOARDING: 'a party is being moved to another participant',
      NO_VIEW_WITH_VALID_RECIPIENTS: "a change in the topology of a party's participants",
      SEQUENCER_UNKNOWN_RECIPIENTS: "a party's participant is not known to the sequencer",
      'PACKAGE_SELECTION_FAILED NO_PREFERRED_PACKAGES_FOUND':
        'no package that all participants involved have vetted',
      NO_VETTED_INTERFACE_IMPLEMENTATION_PACKAGE: 'no package that all participants involved have vetted',
      'PACKAGE_NOT_VETTED_BY_RECIPIENTS PACKAGE_NAME_DISCARDED_DUE_TO_UNVETTED_PACKAGES':
        "a party's participant lacks the package",
    }),
    ...rows('of-request', {
      'MISSING_FIELD INVALID_FIELD INVALID_ARGUMENT NEGATIVE_OFFSET':
        'not a request that the Ledger API takes: an id of our configuration (a physical synchronizer id), or our bug',
      COMMAND_PREPROCESSING_FAILED:
        'a value that does not type-check: amounts were checked, so a package or our bug',
      'DAML_INTERPRETER_INVALID_ARGUMENT DAML_INTERPRETATION_ERROR':
        'what the interpreter has no other word for; no rule of the token',
      DAML_AUTHORIZATION_ERROR:
        'it needs the authority of a party that does not act: another factory than ours',
      'CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE WRONGLY_TYPED_CONTRACT':
        'a contract of another kind than its use: another factory or package than ours',
      'INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED INTERPRETATION_UPGRADE_ERROR_DOWNGRADE_DROP_DEFINED_FIELD':
        'packages that do not go together',
      FAILED_TO_PREPARE_TRANSACTION:
        'not interpreted but encoded: a hashing scheme, disclosures, packages or versions',
      FAILED_TO_EXECUTE_TRANSACTION: 'this prepared transaction is refused; one prepared anew may pass',
      'LOCAL_VERDICT_MALFORMED_REQUEST LOCAL_VERDICT_MALFORMED_PAYLOAD':
        'refused by a confirmer; prepare anew',
      LOCAL_VERDICT_FAILED_MODEL_CONFORMANCE_CHECK: 'refused by a confirmer; prepare anew',
      LOCAL_VERDICT_BAD_ROOT_HASH_MESSAGES: 'refused by a confirmer; prepare anew',
    }),
    ...rows('for-good', {
      DAML_FAILURE: 'a Daml rule said no',
      'UNHANDLED_EXCEPTION INTERPRETATION_USER_ERROR': 'a Daml rule said no (Daml before 3.3)',
    }),
    // Errors of reads. As the answer to a submission they make no sense, so there they prove nothing.
    ...rows(
      'unknown',
      {
        INDEX_DB_SQL_TRANSIENT_ERROR: "the participant's own database",
        'TRAFFIC_TRANSIENT_FAILURE TRAFFIC_FATAL_FAILURE': 'the accounts of traffic do not answer (3.5.7 on)',
      },
      'everybody',
    ),
    ...rows(
      'unknown',
      { OFFSET_AFTER_LEDGER_END: 'this participant is behind what we have seen' },
      'everybody',
    ),
    ...rows('unknown', { ACCESS_TOKEN_EXPIRED: 'a stream outlived its token: open it again' }, 'again'),
    ...rows(
      'unknown',
      { STALE_STREAM_AUTHORIZATION: 'rights changed under a stream: open it again' },
      'again',
    ),
    ...rows('unknown', { PARTICIPANT_PRUNED_DATA_ACCESSED: 'the answer is gone' }, 'again'),
    ...rows(
      'unknown',
      { 'UPDATE_NOT_FOUND TRANSACTION_NOT_FOUND COMPLETION_NOT_FOUND': 'nothing there' },
      'again',
    ),
  ].flat(),
);

/**
 * Not load: the participant did not even send the transaction, which is too large for the synchronizer, and will be next time.
 * Only of this id: others speak of a maximum that they have exceeded, and mean a queue or a heap. Its words are in `sendError`.
 */
export const isInvalidSend = ({ errorId, message, metadata }: Said): boolean =>
  errorId === 'SEQUENCER_REQUEST_FAILED' &&
  /RequestInvalid|exceed\w* (the )?max\w* size|too (large|big)/i.test(
    `${message} ${metadata.get('sendError') ?? ''}`,
  );

type Said = Pick<LedgerStatus, 'errorId' | 'message' | 'metadata'>;

/**
 * Daml reports a rule about time like any other rule; only the text tells them apart. The row passes with newer times. If
 * it is about our own times, the clocks may be apart, and then every row is refused.
 */
const OF_CLOCKS = /requestedAt|executeBefore|ledger time/i;
const OF_TIME = /expire|deadline|in the (past|future)|too (early|late)|\bround\b/i;
/** About the token as it is now: somebody can switch it on again, and a limit of a day is over tomorrow. */
const OF_TODAY =
  /paus(e|ed|ing)\b|fr(oze|ee)|suspend|halted|temporar|try again|not (yet|currently)|\bno (valid|current|active|open)\b|\blimit|quota|disabled|stopped|\bblock(ed|list)|(white|black|allow|deny)-?list|\bKYC\b|maintenance|\bclosed\b|credential|unavailable|not (enabled|allowed|registered|supported|found)/i;
/** About what the token's people have granted to sender or receiver, or may: the words are theirs, so this takes many. */
const OF_GRANTS =
  /approv|(not|un) ?authori[sz]ed|eligib|verif(y|ied|ication)|permit|permission|restrict|revok|sanction|complian|jurisdiction|accredit|onboard|enrol|membership|agreement|consent|\bpolic(y|ies)\b|exceed|maximum|minimum|threshold|denied|forbidden|does not exist|no such/i;
/** About the inputs chosen this time: they have changed since, or others would pass. */
const OF_INPUTS = /locked|not active|inactive|archived|\binputs?\b|holding|insufficient|balance|\bfunds?\b/i;
/**
 * About our configuration, the contracts that were named, or a version of the token's code, not about the transfer; also
 * as Splice words it.
 */
const OF_CONFIGURATION =
  /expected ?admin|instrument|config|mismatch|missing authori|no longer supported|\bTTL\b|lifetime|synchronizer|pattern match|fromSome/i;

/** What a Daml rule's refusal is about, if it is not final. */
export function ofTheMoment(text: string): 'again' | 'of-request' | 'unconfirmed' | null {
  if (OF_CLOCKS.test(text)) return 'unconfirmed';
  if (OF_TIME.test(text) || OF_INPUTS.test(text)) return 'again';
  if (OF_TODAY.test(text) || OF_GRANTS.test(text)) return 'again';
  return OF_CONFIGURATION.test(text) ? 'of-request' : null;
}
