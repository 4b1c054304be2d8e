import type { Token } from '../core/token.js';
import type { Transfer, TransferFactory, TransferTerms } from '../core/transfer.js';
import type { Read, ReadFailure } from '../ports/ledger.js';
import type { Outcome, Refusal } from '../protocol/outcome.js';
import { park, type Verdict } from '../protocol/verdict.js';
import { transferTerms } from '../transfer/command.js';
import { notForLocks } from '../transfer/held.js';
import { agreedFactory } from '../transfer/steps.js';
import { type Balance, judgeBalance, type Options, type Wanted } from './balance.js';
import type { PathContext } from './context.js';
import { databaseNow, type Submission, type SubmitDeps } from './submission.js';

/** What the ledger has to tell before a transfer can be written down. */
export type Gathered =
  | {
      readonly kind: 'transfer';
      readonly transfer: Transfer;
      /** It spends holdings whose lock has ended. */
      readonly endedLocks: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

const CALL_MS = 10_000;

/**
 * The reads before a send: the ledger end asked for after the claim, the sender's holdings there, the factory (our
 * own is kept from earlier, a registry is asked for each transfer).
 */
export async function gather(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
): Promise<Gathered> {
  const options = { timeoutMs: CALL_MS, signal: submission.lease.signal };
  const judged = await judgeBalance(path, deps, submission, wanted, options);
  switch (judged.kind) {
    case 'selected':
      return withFactory(path, deps, submission, wanted, judged);
    case 'failed-read':
      return refused(judged);
    default:
      return { kind: 'verdict', verdict: judged };
  }
}

async function withFactory(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
  { inputs, endedLocks }: Extract<Balance, { kind: 'selected' }>,
): Promise<Gathered> {
  const { token } = wanted.row;
  const options = { timeoutMs: CALL_MS, signal: submission.lease.signal };
  const terms = transferTerms({
    row: submission.claim.row,
    checked: wanted.row,
    sender: wanted.sender,
    receiver: wanted.receiver,
    inputs,
    now: databaseNow(path, submission),
    executeBefore: wanted.executeBefore,
  });
  const told = await factoryFor(path, deps, token, terms, options);
  if (told.kind !== 'read') return refused(told);
  const factory =
    told.value.kind === 'registry'
      ? agreedFactory(told.value, token)
      : { kind: 'ok' as const, factory: told.value };
  if (factory.kind === 'park') return { kind: 'verdict', verdict: park(factory.reason) };
  const transfer = { ...terms, commandId: submission.claim.row.txHash, factory: factory.factory };
  return { kind: 'transfer', transfer, endedLocks };
}

async function factoryFor(
  path: PathContext,
  deps: SubmitDeps,
  token: Token,
  terms: TransferTerms,
  options: Options,
): Promise<Read<TransferFactory>> {
  if (token.instrumentAdmin !== path.settings.issuerParty)
    return path.ledger.registryFactory(token.registryUrl ?? '', terms, options);
  const own = await deps.factories.get(token.instrumentAdmin, deps.participant.ledgerEnd(), options);
  return own.kind === 'read' ? { kind: 'read', value: { kind: 'own', contractId: own.value } } : own;
}

/** A read that failed says nothing of what the ledger holds. */
const refused = ({ refusal }: ReadFailure): Gathered => ({ kind: 'refused', refusal });

/** A rule that refuses such inputs may have judged them alone. */
export const ofEndedLocks = (outcome: Outcome, endedLocks: boolean): Outcome =>
  outcome.kind === 'refused'
    ? { kind: 'refused', refusal: notForLocks(outcome.refusal, endedLocks) }
    : outcome;
