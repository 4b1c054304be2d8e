// What the ledger has to tell before a transfer can be written down: the sender's holdings, and the factory.
import type { Holdings } from '../core/holding.js';
import { type Micros, sameSynchronizer } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { TransferFactory, TransferTerms } from '../core/transfer.js';
import { isClosed, localFailure, type Read, type ReadFailure } from '../ports/ledger.js';
import { isReserved, type Reservation } from '../protocol/lanes.js';
import { failed, givenBack, park, retry, retryIn } from '../protocol/verdict.js';
import { transferTerms } from '../transfer/check.js';
import { agreedFactory } from '../transfer/factory.js';
import {
  inputRules,
  leastLedgerTime,
  selectUnreserved,
  type UnreservedSelection,
} from '../transfer/holdings.js';
import { INSUFFICIENT_BALANCE } from '../transfer/messages.js';
import {
  type Balances,
  databaseTime,
  go,
  type JudgedSubmission,
  type Path,
  READ_BEFORE_SEND_MS,
  type Step,
  stop,
  triesOf,
} from './given/context.js';
import { notTold } from './judge.js';
import { reservationsOf, waitForHoldings } from './reserve.js';
import type { Gathered } from './send.js';

/**
 * The reads before a send: the ledger end, asked for after the claim, the sender's holdings there, and the factory (our
 * own is remembered, a registry is asked for each transfer).
 */
export async function gather(
  path: Path,
  submission: JudgedSubmission,
  executeBefore: Micros,
): Promise<Step<Gathered>> {
  const { row, sender, receiver, claim } = submission;
  const options = { timeoutMs: READ_BEFORE_SEND_MS, signal: submission.lease.signal };
  const balance = await judgeBalance(path, submission, options);
  if (balance.kind === 'failed-read') return stop(notTold(path, submission, balance.refusal));
  if (balance.kind === 'stop') return balance;
  const { inputs, endedLocks } = balance.value;

  const now = databaseTime(path, submission);
  const terms = transferTerms({ row: claim.row, checked: row, sender, receiver, inputs, now, executeBefore });
  const told = await factoryFor(path, row.token, terms, options);
  if (told.kind !== 'read') return stop(notTold(path, submission, told.refusal));
  const factory =
    told.value.kind === 'registry'
      ? agreedFactory(told.value, row.token)
      : { kind: 'ok' as const, factory: told.value };
  if (factory.kind === 'park') return stop(park(factory.reason));
  return go({ transfer: { ...terms, commandId: claim.row.txHash, factory: factory.factory }, endedLocks });
}

async function factoryFor(
  path: Path,
  token: Token,
  terms: TransferTerms,
  options: ReadOptions,
): Promise<Read<TransferFactory>> {
  if (token.instrumentAdmin !== path.settings.issuerParty)
    return path.ledger.registryFactory(token.registryUrl ?? '', terms, options);
  const own = await path.factories.get(token.instrumentAdmin, path.participant.ledgerEnd(), options);
  return own.kind === 'read' ? { kind: 'read', value: { kind: 'own', contractId: own.value } } : own;
}

/** What a transfer spends. */
interface Inputs {
  /** Contract ids. */
  readonly inputs: readonly string[];
  readonly endedLocks: boolean;
}

interface ReadOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * The sender's holdings at a ledger end asked for now. Money that cannot be spent yet still counts, and the row waits for
 * it. Too little with everything counted is final, so it is read once more at a newer ledger end, for this sender alone, and
 * only between two proofs that this is the pinned participant (rule 6; P28).
 */
async function judgeBalance(
  path: Path,
  submission: JudgedSubmission,
  options: ReadOptions,
): Promise<Step<Inputs> | ReadFailure> {
  const first = await holdingsNow(path, submission, options, 'of');
  if (first.kind !== 'read') return first;
  const chosen = select(path, submission, first.value);
  if (chosen.kind !== 'insufficient') return await unlessHeld(path, submission, first.value, chosen);

  const before = await path.participant.prove(options.signal);
  const again = await holdingsNow(path, submission, options, 'ofAlone');
  if (again.kind !== 'read') return again;
  const still = select(path, submission, again.value);
  if (still.kind !== 'insufficient') return await unlessHeld(path, submission, again.value, still);
  const missing = await untold(path, submission, options);
  if (missing.kind !== 'read') return missing;
  const { symbol } = submission.row.token;
  if (missing.value !== null)
    return waits(path, submission, `${symbol}: ${still.detail}; ${missing.value}`, null);
  const after = before === 'proven' ? await path.participant.prove(options.signal) : before;
  const why = 'UNPROVEN: the balance is too small, but the participant';
  if (after !== 'proven') return stop(givenBack(`${why} could not be verified`, path.settings.probeMs));
  if (path.participant.mayLag())
    return stop(
      retry(
        `${why} is behind a ledger end it reported earlier (a lagging replica, or a restore)`,
        triesOf(path, submission.claim),
      ),
    );
  return stop(failed(INSUFFICIENT_BALANCE, `INSUFFICIENT_BALANCE: ${symbol}: ${still.detail}`));
}

async function unlessHeld(
  path: Path,
  submission: JudgedSubmission,
  { reservations }: Spendable,
  chosen: Exclude<Chosen, { kind: 'insufficient' }>,
): Promise<Step<Inputs>> {
  switch (chosen.kind) {
    case 'selected':
      return go({ inputs: chosen.contractIds, endedLocks: chosen.endedLocks });
    case 'held':
      return waits(path, submission, `${submission.row.token.symbol}: ${chosen.detail}`, chosen.inMs);
    case 'reserved':
      return await waitForHoldings(path, submission, reservations, chosen);
    case 'fragmented':
      return stop(park(`FRAGMENTED: ${chosen.detail}, then replay`));
  }
}

/**
 * Until enough locks end, but never longer than the longest backoff, so that a release is noticed; with a backoff where
 * no time says when. Such an attempt judged the row and counts, so the row parks at last.
 */
function waits(path: Path, { claim }: JudgedSubmission, detail: string, inMs: number | null): Step<never> {
  const { minMs, maxMs } = path.settings.retry;
  const why = `BALANCE_HELD: ${detail}`;
  const tries = triesOf(path, claim);
  if (inMs === null) return stop(retry(why, tries));
  return stop(retryIn(Math.min(maxMs, Math.max(minMs, Math.ceil(inMs))), why, tries));
}

/**
 * The participant shows nothing of a party that it does not host. And from 3.7 on the snapshot leaves out what is in
 * reassignment, of which there may be some with more than one synchronizer. What is missing is then not known to be
 * missing. Null: the snapshot is complete.
 */
async function untold(
  path: Path,
  { sender }: JudgedSubmission,
  options: ReadOptions,
): Promise<Read<string | null>> {
  const tellsReassignments = path.participant.verified()?.tellsReassignments !== false;
  const hosted = await path.ledger.synchronizersOf(sender, options);
  if (hosted.kind !== 'read') {
    // A call that is closed to us is not an outage, and must not stop other rows.
    if (!isClosed(hosted)) return hosted;
    const why = `${UNTOLD}, and this token may not ask for its synchronizers`;
    return { kind: 'read', value: tellsReassignments ? null : why };
  }
  if (hosted.value.length === 0) {
    // A disconnected participant says it hosts no party.
    const connected = await path.ledger.synchronizersOf(null, options);
    if (connected.kind !== 'read' && !isClosed(connected)) return connected;
    const ours = path.settings.synchronizerId;
    if (connected.kind === 'read' && !connected.value.some((id) => sameSynchronizer(id, ours)))
      return localFailure('NOT_CONNECTED', `the participant is not connected to ${ours} now`, true);
    return {
      kind: 'read',
      value: `the participant does not host ${sender} now: correct its row in users, or host it`,
    };
  }
  if (tellsReassignments) return { kind: 'read', value: null };
  const others = hosted.value.filter((id) => !sameSynchronizer(id, path.settings.synchronizerId));
  const why = `${UNTOLD} (${others.join(', ')})`;
  return { kind: 'read', value: others.length === 0 ? null : why };
}

const UNTOLD = 'more may be in reassignment, which this participant does not report';

/** What the sender has, and what other transfers of the party may be spending of it. */
interface Spendable {
  readonly holdings: Holdings;
  readonly reservations: readonly Reservation[];
}

async function holdingsNow(
  path: Path,
  { sender }: JudgedSubmission,
  options: ReadOptions,
  how: keyof Balances,
): Promise<Read<Spendable>> {
  const reservations = await reservationsOf(path, sender);
  const holdings = await path.balances[how](sender, options.signal);
  return holdings.kind === 'read'
    ? { kind: 'read', value: { holdings: holdings.value, reservations } }
    : holdings;
}

type Chosen =
  | Exclude<UnreservedSelection, { kind: 'held' }>
  /** `inMs`: until enough locks have ended. */
  | (Omit<Extract<UnreservedSelection, { kind: 'held' }>, 'until'> & { readonly inMs: number | null });

function select(path: Path, submission: JudgedSubmission, { holdings, reservations }: Spendable): Chosen {
  const { row, sender } = submission;
  // Before it is verified nothing is sent, so it does not matter that then no lock seems to have ended.
  const skew = path.participant.verified()?.pinned.clockSkewMaxMs ?? Number.MAX_SAFE_INTEGER;
  const now = leastLedgerTime(databaseTime(path, submission), skew);
  const chosen = selectUnreserved(holdings, reservations.length === 0 ? null : isReserved(reservations), {
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
