import { parked, released } from '../core/decide.js';
import type { Offset, Party } from '../core/ids.js';
import type { Refusal } from '../core/outcome.js';
import type { Holding, Read } from '../core/ports.js';
import type { Verdict } from '../core/settlement.js';
import type { CheckedRow } from '../transfer/check.js';
import { selectHoldings } from '../transfer/holdings.js';
import { INSUFFICIENT_BALANCE } from '../transfer/messages.js';
import type { PathContext } from './context.js';
import type { Submission, SubmitDeps } from './submission.js';

/** What the ledger has to tell before a transfer can be written down. */
export type Gathered =
  | {
      readonly kind: 'inputs';
      readonly inputs: readonly string[];
      readonly factoryId: string /** The participant proved itself before. */;
      readonly proven: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'verdict'; readonly verdict: Verdict };

const CALL_MS = 10_000;

interface Wanted {
  readonly row: CheckedRow;
  readonly sender: Party;
}

/**
 * The reads before a send: the ledger end asked for after the claim, the sender's holdings there, the factory (kept
 * from earlier). A row that was tried before proves its participant beside them, so that a verdict may rest on it.
 */
export async function gather(
  path: PathContext,
  deps: SubmitDeps,
  { claim, lease }: Submission,
  wanted: Wanted,
): Promise<Gathered> {
  const options = { timeoutMs: CALL_MS, signal: lease.signal };
  const proving =
    claim.attempts > 1 ? deps.participant.prove(lease.signal) : Promise.resolve('unsure' as const);
  const first = await holdingsNow(path, deps, wanted, options);
  if (first.kind !== 'read') return { kind: 'refused', refusal: first.refusal };
  const factory = await deps.factories.get(
    wanted.row.token.instrumentAdmin,
    deps.participant.ledgerEnd(),
    options,
  );
  if (factory.kind !== 'read') return { kind: 'refused', refusal: factory.refusal };

  const chosen = select(first.value, wanted);
  if (chosen.kind === 'selected') {
    return {
      kind: 'inputs',
      inputs: chosen.contractIds,
      factoryId: factory.value,
      proven: (await proving) === 'proven',
    };
  }
  if (chosen.kind === 'fragmented') {
    return {
      kind: 'verdict',
      verdict: parked(
        `FRAGMENTED: it would take more than ${chosen.limit} holdings; merge the sender's holdings`,
        'clear',
      ),
    };
  }
  return confirmInsufficient(path, deps, wanted, options, factory.value);
}

/**
 * "Insufficient balance" is final, so it is read once more at a newer ledger end, and only between two proofs that
 * this is the pinned participant (rule 5; P28).
 */
async function confirmInsufficient(
  path: PathContext,
  deps: SubmitDeps,
  wanted: Wanted,
  options: { timeoutMs: number; signal: AbortSignal },
  factoryId: string,
): Promise<Gathered> {
  const before = await deps.participant.prove(options.signal);
  const again = await holdingsNow(path, deps, wanted, options);
  if (again.kind !== 'read') return { kind: 'refused', refusal: again.refusal };
  const chosen = select(again.value, wanted);
  if (chosen.kind === 'selected')
    return { kind: 'inputs', inputs: chosen.contractIds, factoryId, proven: before === 'proven' };
  const after = before === 'proven' ? await deps.participant.prove(options.signal) : before;
  if (after !== 'proven' || chosen.kind !== 'insufficient') {
    return {
      kind: 'verdict',
      verdict: released(
        'clear',
        path.settings.probeMs,
        -1,
        'UNPROVEN: the balance is too small, but the participant did not prove itself',
      ),
    };
  }
  return {
    kind: 'verdict',
    verdict: {
      kind: 'failed',
      message: INSUFFICIENT_BALANCE,
      detail: `INSUFFICIENT_BALANCE: ${wanted.row.token.symbol}: ${chosen.detail}`,
    },
  };
}

async function holdingsNow(
  path: PathContext,
  deps: SubmitDeps,
  { sender }: Wanted,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Read<readonly Holding[]>> {
  const end = await path.ledger.ledgerEnd(options);
  if (end.kind !== 'read') return end;
  const known = deps.participant.ledgerEnd();
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
