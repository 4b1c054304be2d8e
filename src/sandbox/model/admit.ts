// What the executing participant checks before it sends a prepared transaction on: signatures, contracts, parties. It
// does not interpret again, so a retry whose inputs are spent gets as far as deduplication.
import type { Micros } from '../clock.js';
import { stakeholders } from '../daml/contracts.js';
import { refuse } from '../errors.js';
import { isSignedBy } from '../keys.js';
import { usedBy } from './interpret.js';
import type { LedgerState } from './ledger-state.js';
import { requireKnown } from './routing.js';
import type { Prepared, Signature, SignedSubmission, Transaction } from './submission.js';

/** Wire values of SignatureFormat and SigningAlgorithmSpec. */
const DER = 2;
const EC_DSA_SHA_256 = 2;
const MOST_SIGNATURES = 50;

export function admit(submission: SignedSubmission, state: LedgerState, now: Micros): Transaction {
  const { prepared, actAs } = submission;
  const used = usedBy(prepared.nodes);
  const missing = [...used.inputs, ...used.reads].filter((id) => !prepared.inputContracts.has(id));
  if (missing.length > 0) cannotExecute(`Missing input contracts: ${missing.join(', ')}`);
  const needed = new Set([...used.inputs, ...used.reads]);
  const superfluous = [...prepared.inputContracts].filter((id) => !needed.has(id));
  if (superfluous.length > 0) cannotExecute(`Superfluous input contracts: ${superfluous.join(', ')}`);
  for (const party of actAs) verify(party, submission, state);
  requireKnown(state, actAs, informees(prepared));
  const { hash, uuid, nodes, maxRecordTime } = prepared;
  return {
    effectiveAt: effectiveAt(prepared, Math.max(now, submission.notBefore ?? 0)),
    ...used,
    nodes,
    external: { hash, uuid },
    ...(maxRecordTime === undefined ? {} : { maxRecordTime }),
  };
}

/** If the time is read, it was fixed during preparation; otherwise it is chosen now. */
function effectiveAt({ bounds: { min, max } }: Prepared, wished: Micros): Micros {
  return Math.min(Math.max(wished, min ?? 0), max ?? Number.MAX_SAFE_INTEGER);
}

function informees({ nodes }: Prepared): Set<string> {
  return new Set(nodes.flatMap((node) => (node.kind === 'create' ? stakeholders(node.payload) : [])));
}

/** Signatures of parties that do not act are ignored. */
function verify(party: string, { prepared, signatures }: SignedSubmission, state: LedgerState): void {
  const key = state.keyOf(party);
  if (!key) cannotExecute(`The party ${party} has no signing keys registered`);
  const given = signatures.filter((it) => it.party === party).flatMap((it) => it.signatures);
  if (given.length > MOST_SIGNATURES) cannotExecute(`More than ${MOST_SIGNATURES} signatures of one party`);
  const message = Buffer.from(prepared.hash, 'hex');
  const problems = given.map((signature) => {
    if (signature.signedBy !== key.fingerprint) {
      return `${signature.signedBy || 'no key'} is not registered`;
    }
    return (
      formProblem(signature) ?? (isSignedBy(key, message, signature.bytes) ? undefined : 'it does not verify')
    );
  });
  if (problems.includes(undefined)) return;
  cannotExecute(
    `Received 0 valid signatures from distinct keys of ${party}, expected at least 1 (${problems.join('; ') || 'none given'}); transaction hash ${prepared.hash}`,
  );
}

function formProblem({ format, algorithm }: Signature): string | undefined {
  if (algorithm !== EC_DSA_SHA_256)
    return `signing algorithm ${algorithm} is not supported by a secp256k1 key`;
  return format === DER ? undefined : `signature format ${format} does not go with ECDSA`;
}

export function cannotExecute(problem: string): never {
  return refuse(
    'FAILED_TO_EXECUTE_TRANSACTION',
    `The participant failed to execute the transaction: ${problem}`,
  );
}
