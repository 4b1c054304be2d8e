import type { Holdings } from '../core/holding.js';
import { type Micros, type Offset, type Party, sameSynchronizer } from '../core/ids.js';
import type { Read, ReadFailure } from '../ports/ledger.js';
import { givenBack, type PendingVerdict, park, retry, retryIn, type Verdict } from '../protocol/verdict.js';
import type { CheckedRow } from '../transfer/check.js';
import { inputRules, leastLedgerTime, type Selection, selectHoldings } from '../transfer/holdings.js';
import { INSUFFICIENT_BALANCE } from '../transfer/messages.js';
import type { PathContext } from './context.js';
import { databaseNow, type Submission, type SubmitDeps } from './submission.js';

/** What of the sender's a transfer spends, or why it spends nothing now. */
export type Balance =
  | {
      readonly kind: 'selected';
      /** Contract ids. */
      readonly inputs: readonly string[];
      readonly endedLocks: boolean;
    }
  | ReadFailure
  | Verdict;

export interface Wanted {
  readonly row: CheckedRow;
  readonly sender: Party;
  readonly receiver: Party;
  /** Of the transfer, on the database's clock. */
  readonly executeBefore: Micros;
}

export type Options = { readonly timeoutMs: number; readonly signal: AbortSignal };

/**
 * The sender's holdings at a ledger end asked for now. Money that cannot be spent yet is no lack of it: the row waits.
 * Too little with everything counted is final, so it is read once more at a newer ledger end, and only between two
 * proofs that this is the pinned participant (rule 5; P28).
 */
export async function judgeBalance(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  wanted: Wanted,
  options: Options,
): Promise<Balance> {
  const first = await holdingsNow(path, deps, wanted, options);
  if (first.kind !== 'read') return first;
  const chosen = select(path, deps, submission, first.value, wanted);
  if (chosen.kind !== 'insufficient') return balanceOf(path, submission, wanted, chosen);

  const before = await deps.participant.prove(options.signal);
  const again = await holdingsNow(path, deps, wanted, options);
  if (again.kind !== 'read') return again;
  const still = select(path, deps, submission, again.value, wanted);
  if (still.kind !== 'insufficient') return balanceOf(path, submission, wanted, still);
  const untold = await untoldReassignments(path, deps, wanted, options);
  if (untold.kind !== 'read') return untold;
  if (untold.value !== null)
    return waits(path, submission, `${wanted.row.token.symbol}: ${still.detail}; ${untold.value}`, null);
  const after = before === 'proven' ? await deps.participant.prove(options.signal) : before;
  if (after !== 'proven') {
    const why = 'UNPROVEN: the balance is too small, but the participant did not prove itself';
    return givenBack(why, path.settings.probeMs);
  }
  return {
    kind: 'failed',
    message: INSUFFICIENT_BALANCE,
    detail: `INSUFFICIENT_BALANCE: ${wanted.row.token.symbol}: ${still.detail}`,
  };
}

function balanceOf(
  path: PathContext,
  submission: Submission,
  { row }: Wanted,
  chosen: Exclude<Chosen, { kind: 'insufficient' }>,
): Balance {
  switch (chosen.kind) {
    case 'selected':
      return { kind: 'selected', inputs: chosen.contractIds, endedLocks: chosen.endedLocks };
    case 'held':
      return waits(path, submission, `${row.token.symbol}: ${chosen.detail}`, chosen.inMs);
    case 'fragmented':
      return park(`FRAGMENTED: ${chosen.detail}, then replay`);
  }
}

/**
 * Until enough locks end, but never longer than a backoff at its longest, so that a release is noticed; where no time
 * says when, with backoff. Such an attempt judged the row and counts, so it parks at last.
 */
function waits(
  { settings, random }: PathContext,
  { claim }: Submission,
  detail: string,
  inMs: number | null,
): PendingVerdict {
  const { retry: policy } = settings;
  const why = `BALANCE_HELD: ${detail}`;
  const tries = { attempts: claim.attempts, policy, random };
  return inMs === null
    ? retry(why, tries)
    : retryIn(Math.min(policy.maxMs, Math.max(policy.minMs, Math.ceil(inMs))), why, tries);
}

/**
 * From 3.7 on the snapshot leaves out what is in reassignment, and with more than one synchronizer there may be such:
 * what is missing is then not known to be missing. Null: it is the whole.
 */
async function untoldReassignments(
  path: PathContext,
  deps: SubmitDeps,
  { sender }: Wanted,
  options: Options,
): Promise<Read<string | null>> {
  if (deps.participant.verified()?.tellsReassignments !== false) return { kind: 'read', value: null };
  const hosted = await path.ledger.synchronizersOf(sender, options);
  if (hosted.kind !== 'read') {
    // Not to be told is no outage: it must not stop anybody else's row.
    if (hosted.refusal.errorId !== 'GRPC_PERMISSION_DENIED') return hosted;
    return { kind: 'read', value: `${UNTOLD}, nor may its synchronizers be asked for` };
  }
  const others = hosted.value.filter((id) => !sameSynchronizer(id, path.settings.synchronizerId));
  const why = `${UNTOLD} (${others.join(', ')})`;
  return { kind: 'read', value: others.length === 0 ? null : why };
}

const UNTOLD = 'more may be in reassignment, which this participant does not tell';

async function holdingsNow(
  path: PathContext,
  deps: SubmitDeps,
  { sender }: Wanted,
  options: Options,
): Promise<Read<Holdings>> {
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

type Chosen =
  | Exclude<Selection, { kind: 'held' }>
  /** `inMs`: until enough locks have ended. */
  | (Omit<Extract<Selection, { kind: 'held' }>, 'until'> & { readonly inMs: number | null });

function select(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  holdings: Holdings,
  { row, sender }: Wanted,
): Chosen {
  // Not verified, nothing is sent: then it is no matter that no lock seems to have ended.
  const skew = deps.participant.verified()?.pinned.clockSkewMaxMs ?? Number.MAX_SAFE_INTEGER;
  const now = leastLedgerTime(databaseNow(path, submission), skew);
  const chosen = selectHoldings(holdings, {
    owner: sender,
    admin: row.token.instrumentAdmin,
    instrumentId: row.token.instrumentId,
    amount: row.amount,
    now,
    ...inputRules(row.token, path.settings.issuerParty),
  });
  if (chosen.kind !== 'held') return chosen;
  const { until, ...held } = chosen;
  return { ...held, inMs: until === null ? null : Number((until - now) / 1000n) };
}

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
