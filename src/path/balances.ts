// What senders hold, at a ledger end asked for after their claims. All who ask in one moment, such as the rows of one claim,
// share one question for the ledger end and one for the active contracts.
import { setMaxListeners } from 'node:events';
import type { Holdings } from '../core/holding.js';
import type { Offset, Party } from '../core/ids.js';
import { type CallOptions, type Ledger, localFailure, type Read, type ReadFailure } from '../ports/ledger.js';
import { type Balances, READ_BEFORE_SEND_MS } from './given/context.js';
import type { Participant } from './given/participant.js';

/** Senders in one read; where more ask, the others get a read of their own beside it. */
const TOGETHER_MOST = 50;
/** A sender who holds more is asked about alone from then on, so that nobody waits for another's holdings. */
const FEW = 100;
const REMEMBERED_MOST = 10_000;

interface Given {
  readonly ledger: Pick<Ledger, 'ledgerEnd' | 'holdings'>;
  readonly participant: Pick<Participant, 'ledgerEnd' | 'sawLedgerEnd' | 'doubt'>;
}

/** One row's question. */
interface Question {
  readonly sender: Party;
  readonly signal: AbortSignal;
  readonly answer: (read: Read<Holdings>) => void;
  readonly fail: (error: unknown) => void;
}

export function createBalances({ ledger, participant }: Given): Balances {
  let questions: Question[] = [];
  const rich = new Set<Party>();

  const ask = (sender: Party, signal: AbortSignal): Promise<Read<Holdings>> =>
    new Promise((answer, fail) => {
      if (questions.length === 0) setImmediate(answerAll);
      questions.push({ sender, signal, answer, fail });
    });

  const askAlone = (sender: Party, signal: AbortSignal): Promise<Read<Holdings>> =>
    new Promise((answer, fail) => {
      const question = { sender, signal, answer, fail };
      answers([question], alone(question)).catch(fail);
    });

  const answerAll = (): void => {
    const asked = questions;
    questions = [];
    const wait = waitFor(asked);
    answers(asked, { timeoutMs: READ_BEFORE_SEND_MS, signal: wait.signal })
      .catch((error: unknown) => {
        for (const { fail } of asked) fail(error);
      })
      .finally(wait.end);
  };

  const answers = async (asked: readonly Question[], options: CallOptions): Promise<void> => {
    const end = await ledgerEnd(options);
    if (end.kind !== 'read') {
      // One failure told to many senders would look like everybody's, and stop them all.
      if (asked.length > 1 && end.refusal.blame !== 'all')
        await Promise.all(asked.map((one) => answers([one], alone(one))));
      else for (const { answer } of asked) answer(end);
      return;
    }
    await Promise.all(groupsOf(asked).map((group) => holdingsOf(group, end.value, options)));
  };

  /** Rows of a sender with many holdings together, and those of all others. */
  const groupsOf = (asked: readonly Question[]): readonly (readonly Question[])[] => {
    const groups = new Map<string, Question[]>();
    let others = 0;
    for (const one of asked) {
      const name = rich.has(one.sender) ? one.sender : `${Math.floor(others++ / TOGETHER_MOST)}`;
      groups.set(name, [...(groups.get(name) ?? []), one]);
    }
    return [...groups.values()];
  };

  const ledgerEnd = async (options: CallOptions): Promise<Read<Offset>> => {
    // Answers may arrive out of order, so compare with what was known before asking.
    const known = participant.ledgerEnd();
    const end = await ledger.ledgerEnd(options);
    if (end.kind !== 'read') return end;
    // A replica that lags, or a restored participant: its holdings are not the ledger's (P28).
    if (end.value < known) {
      participant.doubt({ kind: 'end-behind', end: end.value, known });
      return behind(end.value, known);
    }
    participant.sawLedgerEnd(end.value);
    return end;
  };

  const holdingsOf = async (group: readonly Question[], end: Offset, shared: CallOptions): Promise<void> => {
    const [one, ...others] = group;
    const options = one !== undefined && others.length === 0 ? alone(one) : shared;
    const parties = [...new Set(group.map(({ sender }) => sender))];
    const most = parties.length === 1 ? {} : { most: parties.length * FEW };
    const read = await ledger.holdings(parties, end, { ...options, ...most });
    // What is wrong with one of them must be held against that one alone.
    if (read.kind !== 'read' && parties.length > 1 && read.refusal.blame !== 'all') {
      await Promise.all(group.map((one) => holdingsOf([one], end, shared)));
      return;
    }
    for (const { sender, answer } of group) {
      if (read.kind !== 'read') {
        if (read.refusal.errorId === 'HOLDINGS_UNREAD') remember(sender, Number.POSITIVE_INFINITY);
        answer(read);
        continue;
      }
      const value = read.value.get(sender);
      if (value === undefined) throw new Error(`nothing was read of ${sender}`);
      remember(sender, value.holdings.length + value.unreadable.length);
      answer({ kind: 'read', value });
    }
  };

  const remember = (sender: Party, count: number): void => {
    if (count <= FEW) rich.delete(sender);
    else if (rich.size < REMEMBERED_MOST) rich.add(sender);
  };

  return { of: ask, ofAlone: askAlone };
}

/** A read for one row ends with that row's claim, whoever else still waits. */
const alone = ({ signal }: Question): CallOptions => ({ timeoutMs: READ_BEFORE_SEND_MS, signal });

/** `signal` aborts once nobody waits for the answer any more. */
function waitFor(asked: readonly Question[]) {
  const over = new AbortController();
  const waiting = new Set(asked);
  const listening = new AbortController();
  // Each read listens to `over`, one for every TOGETHER_MOST of them, and each of them to `listening`: from eleven on Node warns
  // of a leak.
  setMaxListeners(0, over.signal, listening.signal);
  for (const one of asked) {
    const giveUp = (): void => {
      one.answer(GIVEN_UP);
      waiting.delete(one);
      if (waiting.size === 0) over.abort();
    };
    if (one.signal.aborted) giveUp();
    else one.signal.addEventListener('abort', giveUp, { once: true, signal: listening.signal });
  }
  return { signal: over.signal, end: () => listening.abort() };
}

/** The row's lease is lost or over. */
const GIVEN_UP = localFailure('CALL_ABORTED', 'the claim ended before the participant answered', false);

const behind = (end: Offset, known: Offset): ReadFailure =>
  localFailure('LEDGER_END_BEHIND', `the participant's ledger ends at ${end}, but ${known} was seen`, true);
