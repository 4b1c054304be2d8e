import { parked, released } from '../core/decide.js';
import type { Micros, Offset, Party } from '../core/ids.js';
import type { Refusal } from '../core/outcome.js';
import type { Holding, Read, ReadFailure } from '../core/ports.js';
import type { Verdict } from '../core/settlement.js';
import type { Token } from '../core/token.js';
import type { Transfer, TransferFactory, TransferTerms } from '../core/transfer.js';
import type { CheckedRow } from '../transfer/check.js';
import { transferTerms } from '../transfer/command.js';
import { selectHoldings } from '../transfer/holdings.js';
import { INSUFFICIENT_BALANCE } from '../transfer/messages.js';
import { agreedFactory } from '../transfer/steps.js';
import type { PathContext } from './context.js';
import { databaseNow, type Submission, type SubmitDeps } from './submission.js';

/** What the ledger has to tell before a transfer can be written down. */
export type Gathered =
  | {
      readonly kind: 'transfer';
      readonly transfer: Transfer;
      /** The participant proved itself before. */
      readonly proven: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly proven: false }
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

type Options = { readonly timeoutMs: number; readonly signal: AbortSignal };

const CALL_MS = 10_000;

export interface Wanted {
  readonly row: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
  /** Of the transfer, on the database's clock. */
  readonly executeBefore: Micros;
}

/**
 * The reads before a send: the ledger end asked for after the claim, the sender's holdings there, the factory (our
 * own is kept from earlier, a registry is asked for each transfer). A row that was tried before proves its participant
 * beside them, so that a verdict may rest on it.
 */
export async function gather(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
): Promise<Gathered> {
  const { claim, lease } = submission;
  const options = { timeoutMs: CALL_MS, signal: lease.signal };
  const proving =
    claim.attempts > 1 ? deps.participant.prove(lease.signal) : Promise.resolve('unsure' as const);
  const first = await holdingsNow(path, deps, wanted, options);
  if (first.kind !== 'read') return refused(first);
  const chosen = select(first.value, wanted);
  if (chosen.kind === 'selected')
    return withFactory(path, deps, submission, wanted, chosen.contractIds, (await proving) === 'proven');
  if (chosen.kind === 'fragmented') {
    return verdict(
      parked(
        `FRAGMENTED: it would take more than ${chosen.limit} holdings; merge the sender's holdings`,
        'clear',
      ),
    );
  }
  return confirmInsufficient(path, deps, submission, wanted, options);
}

async function withFactory(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
  inputs: readonly string[],
  proven: boolean,
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
  if (factory.kind === 'park') return verdict(parked(factory.reason, 'clear'));
  const transfer = { ...terms, commandId: submission.claim.row.txHash, factory: factory.factory };
  return { kind: 'transfer', transfer, proven };
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

/**
 * "Insufficient balance" is final, so it is read once more at a newer ledger end, and only between two proofs that
 * this is the pinned participant (rule 5; P28).
 */
async function confirmInsufficient(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
  options: Options,
): Promise<Gathered> {
  const before = await deps.participant.prove(options.signal);
  const again = await holdingsNow(path, deps, wanted, options);
  if (again.kind !== 'read') return refused(again);
  const chosen = select(again.value, wanted);
  if (chosen.kind === 'selected')
    return withFactory(path, deps, submission, wanted, chosen.contractIds, before === 'proven');
  const after = before === 'proven' ? await deps.participant.prove(options.signal) : before;
  if (after !== 'proven' || chosen.kind !== 'insufficient') {
    const why = 'UNPROVEN: the balance is too small, but the participant did not prove itself';
    return verdict(released('clear', path.settings.probeMs, -1, why));
  }
  return verdict({
    kind: 'failed',
    message: INSUFFICIENT_BALANCE,
    detail: `INSUFFICIENT_BALANCE: ${wanted.row.token.symbol}: ${chosen.detail}`,
  });
}

/** A read that failed says nothing of what the ledger holds. */
const refused = ({ refusal }: ReadFailure): Gathered => ({ kind: 'refused', refusal, proven: false });
const verdict = (verdict: Verdict): Gathered => ({ kind: 'verdict', verdict });

async function holdingsNow(
  path: PathContext,
  deps: SubmitDeps,
  { sender }: Wanted,
  options: Options,
): Promise<Read<readonly Holding[]>> {
  // Known before it is asked: answers overtake one another, and what others were told meanwhile says nothing of this one.
  const known = deps.participant.ledgerEnd();
  const end = await path.ledger.ledgerEnd(options);
  if (end.kind !== 'read') return end;
  // A replica that lags, or a restored participant: what it holds is not what the ledger holds (P28).
  if (end.value < known) {
    deps.participant.doubt(`its ledger ends at ${end.value}, but ${known} was seen`);
    return behind(end.value, known);
  }
  deps.participant.sawLedgerEnd(end.value);
  return path.ledger.holdings(sender, end.value, options);
}

const select = (holdings: readonly Holding[], { row, sender }: Wanted) =>
  selectHoldings(holdings, {
    owner: sender,
    admin: row.token.instrumentAdmin,
    instrumentId: row.token.instrumentId,
    amount: row.amount,
  });

const behind = (end: Offset, known: Offset): Read<never> => ({
  kind: 'failed-read',
  pruned: false,
  refusal: {
    kind: 'not-the-row',
    blame: 'all',
    errorId: 'LEDGER_END_BEHIND',
    detail: `the participant's ledger ends at ${end}, but ${known} was seen`,
    retryAfterMs: null,
  },
});
