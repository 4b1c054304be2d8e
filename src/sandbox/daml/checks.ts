// The parts of a choice's body that can fail: fetches and assertions.
import { refuse } from '../errors.js';
import type { Payload } from './contracts.js';

/** The contracts that the choice is interpreted against. */
export interface Contracts {
  /** The active contract, if act_as, read_as or a disclosure shows it; null if this transaction has consumed it. */
  see(contractId: string): Payload | undefined | null;
}

export function fetch(contractId: string, contracts: Contracts): Payload {
  const seen = contracts.see(contractId);
  if (seen === null) return notActive(contractId);
  return (
    seen ??
    refuse('CONTRACT_NOT_FOUND', `Contract could not be found with id ${contractId}`, {
      resources: [['CONTRACT_ID', contractId]],
    })
  );
}

export function notActive(contractId: string): never {
  return refuse(
    'CONTRACT_NOT_ACTIVE',
    `Interpretation error: Error: Update failed due to fetch of an inactive contract ${contractId}`,
    {
      resources: [['CONTRACT_ID', contractId]],
    },
  );
}

export function wronglyTyped(contractId: string, template: string): never {
  return refuse('WRONGLY_TYPED_CONTRACT', `Contract ${contractId} is not of template ${template}.`, {
    resources: [['CONTRACT_ID', contractId]],
  });
}

const ASSERTION_FAILED = 'UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed';

/** Daml's assertMsg: since 3.3, a DAML_FAILURE whose error_id names the exception. */
export function require(holds: boolean, message: string): asserts holds {
  if (holds) return;
  refuse(
    'DAML_FAILURE',
    `Interpretation error: Error: User failure: ${ASSERTION_FAILED} (error category 9): ${message}`,
    { metadata: { error_id: ASSERTION_FAILED } },
  );
}
