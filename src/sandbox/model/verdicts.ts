// The synchronizer's rejections of a submission that is on its way.
import type { LedgerError } from '../errors.js';

export const notSequenced: LedgerError = {
  id: 'NOT_SEQUENCED_TIMEOUT',
  cause:
    'Transaction was not sequenced within the pre-defined max sequencing time and has therefore timed out',
};

export const mediatorTimedOut: LedgerError = {
  id: 'MEDIATOR_SAYS_TX_TIMED_OUT',
  cause:
    'Rejected transaction as the mediator did not receive sufficient confirmations within the expected timeframe.',
};

export const sequencerRefused: LedgerError = {
  id: 'SEQUENCER_BACKPRESSURE',
  cause: 'The sequencer is overloaded and refused the submission request',
};

export function duplicateUuid(uuid: string): LedgerError {
  return {
    id: 'DUPLICATE_CONFIRMATION_REQUEST_UUID',
    cause: `The request uuid (${uuid}) must not be used until further notice`,
  };
}

export const ledgerTimeOutOfBound: LedgerError = {
  id: 'LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND',
  cause: 'Rejected transaction as delta of the ledger time and the record time exceed the time tolerance',
};

export const maxRecordTimeExceeded: LedgerError = {
  id: 'LOCAL_VERDICT_MAX_RECORD_TIME_EXCEEDED',
  cause: 'Rejected transaction as the record time exceeds the maximum record time',
};

export function contended(id: string, verb: string, contractIds: readonly string[]): LedgerError {
  return {
    id,
    cause: `Rejected transaction ${verb} contracts ${contractIds.join(', ')}`,
    resources: contractIds.map((contractId) => ['CONTRACT_ID', contractId]),
  };
}
