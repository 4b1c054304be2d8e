// Canton's error ids, one row each: what the id says of a submission, what of a read, and why.
// Not from `definite_answer`: that flag says "false" even of requests that the participant never read.

/** What an id says of the submission that it answers. */
export type SubmissionVerdict =
  /** Certain, and the same request will be refused for ever. */
  | 'for-good'
  /** Certain, because of what the ledger holds now (a party that it does not know). */
  | 'by-state'
  /** Certain; the row may pass later. */
  | 'again'
  /** Certain, and no row's fault: everybody's, or perhaps this sender's, this receiver's, this token's alone. */
  | 'everybody'
  | 'sender'
  | 'receiver'
  | 'token'
  /** An acceptance of the same command exists. */
  | 'duplicate'
  /** It may still commit, or an earlier one may: only the completion stream can tell. */
  | 'unknown';

/** What it says of a read, where that does not follow: a read is never for good, it judges no row. */
export type ReadVerdict = 'again' | 'everybody' | 'sender' | 'receiver' | 'token';

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
      'UNKNOWN_CONTRACT_SYNCHRONIZER UNKNOWN_CONTRACT_SYNCHRONIZERS': 'a race with the archival of an input',
      NOT_SEQUENCED_TIMEOUT: 'its maximum sequencing time passed first',
      MEDIATOR_SAYS_TX_TIMED_OUT: 'too few confirmations in time; the verdict is final',
      LOCAL_VERDICT_TIMEOUT: 'a final rejection by timeout',
      LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND: 'sequenced too far from its ledger time',
      LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND: 'sequenced too long after its preparation',
      LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED: 'sequenced past its own bound',
      LEDGER_TIME_OUTSIDE_BOUNDS: 'a question of time, not of the request',
      REQUEST_DEADLINE_EXCEEDED: 'the deadline was over on arrival, nothing was processed',
      INTERPRETATION_TIME_EXCEEDED: 'interpretation was cut off before anything was sent',
      'PARTICIPANT_BACKPRESSURE PARTICIPANT_OVERLOADED SERVER_OVERLOADED': 'refused at the door, under load',
      'THREADPOOL_OVERLOADED HEAP_MEMORY_OVER_LIMIT MAXIMUM_NUMBER_OF_STREAMS':
        'refused at the door, under load',
      'SEQUENCER_BACKPRESSURE SEQUENCER_REQUEST_FAILED': 'the sequencer did not take it',
      'SEQUENCER_OVERLOADED SEQUENCER_UNAVAILABLE': 'the sequencer did not take it',
      SUBMISSION_DURING_SHUTDOWN: 'refused before it was registered',
      FAILED_TO_PREPARE_TRANSACTION:
        'not interpreted but encoded: disclosures, packages or versions, which change',
      FAILED_TO_EXECUTE_TRANSACTION: 'this prepared transaction is refused; one prepared anew may pass',
      'LOCAL_VERDICT_MALFORMED_REQUEST LOCAL_VERDICT_MALFORMED_PAYLOAD':
        'refused by a confirmer; prepare anew',
      LOCAL_VERDICT_FAILED_MODEL_CONFORMANCE_CHECK: 'refused by a confirmer; prepare anew',
      LOCAL_VERDICT_BAD_ROOT_HASH_MESSAGES: 'refused by a confirmer; prepare anew',
      INVALID_DEDUPLICATION_PERIOD: 'refused before sending; never answered by asking for a shorter window',
      'INVALID_DISCLOSED_CONTRACT DISCLOSED_CONTRACT_AUTHENTICATION_FAILED':
        'stale disclosures: fetch them again',
    }),
    ...rows('everybody', {
      SERVICE_NOT_RUNNING: 'the participant is starting or stopping',
      'NOT_CONNECTED_TO_ANY_SYNCHRONIZER NOT_CONNECTED_TO_SYNCHRONIZER': 'the participant is offline',
      SUBMISSION_SYNCHRONIZER_NOT_READY: 'the synchronizer is not ready',
      'SYNCHRONIZER_WITHOUT_MEDIATOR CHOSEN_MEDIATOR_IS_INACTIVE': 'a change in the topology of mediators',
      UNAUTHENTICATED: 'our token, not the row',
      INVALID_TOKEN: 'our token, not the row',
      PRESCRIBED_SYNCHRONIZER_ID_MISMATCH: 'our configured synchronizer',
      DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH: 'our configured synchronizer',
      'PACKAGE_NAMES_NOT_FOUND TEMPLATES_OR_INTERFACES_NOT_FOUND': 'a package that the participant lacks',
      'NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME':
        'a package of that name, without what is asked for',
      OUTDATED_TRAFFIC_COST: 'traffic was priced before its price changed',
      SEQUENCER_NOT_ENOUGH_TRAFFIC_CREDIT: 'the operator must buy traffic',
      TRAFFIC_ACCOUNT_VALIDATION_FAILED: 'the operator must look at the traffic account',
      'SEQUENCER_SUBMISSION_REQUEST_REFUSED SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR':
        'refused by the sequencer',
      'SEQUENCER_SENDER_UNKNOWN SEQUENCER_SUBMISSION_AFTER_UPGRADE_TIME': 'refused by the sequencer',
    }),
    ...rows('sender', {
      PERMISSION_DENIED: 'a right that our user lacks, perhaps for this sender only',
      SUBMITTERS_NOT_ACTIVE: 'the sender is not active on the synchronizer now',
    }),
    ...rows('receiver', {
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
    ...rows('token', {
      'PACKAGE_NOT_FOUND UNRESOLVED_PACKAGE_NAME': 'a package that is missing, perhaps of one token only',
    }),
    ...rows('by-state', {
      UNKNOWN_INFORMEES: 'the receiver is a party that the ledger does not know',
      UNKNOWN_SUBMITTERS: 'the sender is a party that the ledger does not know',
      NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT: 'the sender may submit nowhere',
    }),
    ...rows('for-good', {
      'MISSING_FIELD INVALID_FIELD INVALID_ARGUMENT NEGATIVE_OFFSET':
        'not a request that the Ledger API takes',
      COMMAND_PREPROCESSING_FAILED: 'a value that does not type-check, such as a finer amount than Daml has',
      'DAML_FAILURE DAML_INTERPRETATION_ERROR': 'a Daml rule said no',
      'UNHANDLED_EXCEPTION INTERPRETATION_USER_ERROR': 'a Daml rule said no (Daml before 3.3)',
      DAML_AUTHORIZATION_ERROR: 'it needs the authority of a party that does not act',
      TEMPLATE_PRECONDITION_VIOLATED: "a contract's own precondition said no",
      'CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE WRONGLY_TYPED_CONTRACT':
        'a contract of another kind than its use',
      'INVALID_EXTERNAL_SIGNATURE INVALID_EXTERNAL_TRANSACTION': 'not signed by a key of the party',
    }),
    // Answers to reads. As an answer to a submission they make no sense, so there they prove nothing.
    ...rows('unknown', { INDEX_DB_SQL_TRANSIENT_ERROR: "the participant's own database" }, 'everybody'),
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

/** Daml says of a rule about time the same as of any other; only its words tell. The row passes with newer times. */
const OF_TIME =
  /requestedAt|executeBefore|expire|deadline|in the (past|future)|ledger time|too (early|late)/i;
/** An input that changed since it was chosen. */
const OF_STALE_INPUT = /locked|not active|inactive|archived/i;

const OF_DAML = new Set(
  'DAML_FAILURE DAML_INTERPRETATION_ERROR UNHANDLED_EXCEPTION INTERPRETATION_USER_ERROR'.split(' '),
);

/** A Daml rule's "no" that is about the moment, not about the transfer. */
export const passesLater = (errorId: string, text: string): boolean =>
  OF_DAML.has(errorId) && (OF_TIME.test(text) || OF_STALE_INPUT.test(text));
