import type { Micros } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { TransferFactory, TransferTerms } from '../core/transfer.js';
import type { Read } from '../ports/ledger.js';
import { givenBack, park, retry } from '../protocol/verdict.js';
import { checkParties, checkRow } from '../transfer/check.js';
import { transferTerms } from '../transfer/command.js';
import { agreedFactory } from '../transfer/steps.js';
import { judgeBalance, type ReadOptions } from './balance.js';
import { notTold, subjectOf } from './decided.js';
import {
  databaseNow,
  go,
  type JudgedSubmission,
  type Path,
  type Step,
  type Submission,
  stop,
  triesOf,
} from './given/context.js';
import type { KeyWait } from './given/parts.js';
import type { Gathered } from './send.js';

/**
 * What can be said of a fresh row before the ledger is asked. A verdict here is final at once, since nothing of the row
 * is undecided (rule 6). Then the breaker: a row whose sender, receiver or token the ledger refuses for now waits.
 */
export function judge(path: Path, submission: Submission): Step<JudgedSubmission> {
  const { settings } = path;
  const { row, sender, recipient } = submission.claim;
  const checked = checkRow(row, settings.tokens, settings.issuerParty);
  if (checked.kind === 'failed') return stop(checked);
  if (checked.kind === 'park') return stop(park(checked.reason));
  const parties = checkParties(row, sender, recipient);
  if (parties.kind === 'failed') return stop(parties);
  if (parties.kind === 'wait') return stop(retry(parties.reason, triesOf(path, submission.claim)));
  const judged = { ...submission, row: checked, sender: parties.sender, receiver: parties.receiver };
  const wait = path.breaker.wait(subjectOf(judged));
  return wait === null ? go(judged) : waiting(path, judged, wait);
}

/**
 * A row that may have caused the trouble itself is counted when it is refused. One that only waits is counted after this
 * long, so that its lane moves on at last, and a receiver who is away for minutes costs no row an attempt.
 */
const WAITED_MS = 3_600_000;

function waiting(path: Path, submission: JudgedSubmission, wait: KeyWait): Step<never> {
  const { claim } = submission;
  const why = `BREAKER: the ledger refuses this sender, receiver or token for now: ${wait.reason}`;
  const ms = Math.round(wait.ms);
  const old = databaseNow(path, submission) - claim.row.createdAt >= WAITED_MS;
  if (!wait.held || !old) return stop(givenBack(why, ms));
  return stop(retry(why, triesOf(path, claim), ms));
}

const CALL_MS = 10_000;

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
  const options = { timeoutMs: CALL_MS, signal: submission.lease.signal };
  const balance = await judgeBalance(path, submission, options);
  if (balance.kind === 'failed-read') return stop(notTold(path, submission, balance.refusal));
  if (balance.kind === 'stop') return balance;
  const { inputs, endedLocks } = balance.value;

  const now = databaseNow(path, submission);
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
