// A fresh row, from its claim to its verdict, as src/path/submit.ts goes about it: judge, write ahead,
// send once, decide by the answer.

import { dbMillis, microsOf } from '../../../src/core/ids.js';
import type { Attempted } from '../../../src/protocol/decide.js';
import { isReserved, type Reservation, reservedBy } from '../../../src/protocol/lanes.js';
import type { SubmissionRecord } from '../../../src/protocol/record.js';
import { givenBack, undecided, unsent, type Verdict } from '../../../src/protocol/verdict.js';
import { contractId } from './lanes.js';
import type { Coin, Message } from './ledger.js';
import { chase } from './looking.js';
import { type Attempt, bad, MAX_ATTEMPTS, type Self, type Steps } from './self.js';
import { PROBE_MS, TOLERANCE_MS, WINDOW_MS } from './times.js';

export function* submit(self: Self, attempt: Attempt): Steps<Verdict> {
  const { rules, database } = self.world;
  const { row } = attempt.claim;
  yield;
  const mark = self.verified?.mark ?? null;
  const before = self.proven(mark);
  const { coins, reservations } = yield* spendable(self, attempt);
  const taken = isReserved(reservations);
  const free = coins.filter(({ id }) => !taken(contractId(id)));
  const inputs = choose(free, row.amount);
  if (choose(rules.holdings.reservedCounts ? coins : free, row.amount) === null) {
    yield;
    // Final, so only between two proofs that this is the pinned participant.
    if (!before || !self.proven(mark)) return givenBack('UNPROVEN: the balance is too small', PROBE_MS);
    self.world.tooLittle(row, coins);
    return { kind: 'failed', message: 'insufficient balance', detail: 'INSUFFICIENT_BALANCE' };
  }
  if (inputs === null) {
    yield;
    database.awaitRows(
      attempt.claim,
      reservedBy(
        reservations,
        coins.map(({ id }) => contractId(id)),
      ),
      WAIT_MAX_MS,
    );
    self.say(() => `finds too little that is free for r${row.id + 1}`);
    self.world.count('waits');
    return givenBack('RESERVED');
  }
  const record = yield* recorded(self, attempt, inputs);
  if ('kind' in record) return record;
  if (bad(yield)) return unsent('the connection is not ready');

  const message = send(self, attempt, record, inputs);
  if (!rules.writeAhead) {
    yield;
    writeAhead(self, attempt, record, inputs, self.verified?.generation ?? 0);
  }
  return yield* answered(self, attempt, record, message);
}

/** The sender's holdings, and what other transfers of the party may be spending of them. */
function* spendable(
  self: Self,
  { claim: { user } }: Attempt,
): Steps<{ readonly coins: readonly Coin[]; readonly reservations: readonly Reservation[] }> {
  const { ledger, database, rules, lanes } = self.world;
  const held = (): readonly Coin[] => (self.view === ledger.ours ? ledger.coinsOf(user.party) : []);
  if (lanes !== 'holdings') return { coins: held(), reservations: [] };
  if (rules.holdings.readBefore) {
    const reservations = database.reserved(user.party);
    yield;
    return { coins: held(), reservations };
  }
  const coins = held();
  yield;
  return { coins, reservations: database.reserved(user.party) };
}

/** The record that stands when the request leaves; where it is not there, nothing leaves. */
function* recorded(
  self: Self,
  attempt: Attempt,
  inputs: readonly number[],
): Steps<SubmissionRecord | Verdict> {
  const { rules } = self.world;
  const { claim } = attempt;
  const { own, user, row, token } = claim;
  const endless = user.hosted && row.steps === 2 && rules.twoStepRecord;
  if (own !== null && !endless) return own;
  // External: the bound is the prepared transaction's; from here to the write-ahead it is being signed.
  const bound = dbMillis(self.now(attempt) + WINDOW_MS + (user.hosted ? TOLERANCE_MS : 0));
  const luck = yield;
  const { verified } = self;
  if (verified === null) return unsent('the participant is not verified');
  const record: SubmissionRecord = {
    sentFrom: own?.sentFrom ?? self.sentFrom,
    sentUntil: endless ? null : (own?.sentUntil ?? bound),
    submissionId: token,
    party: user.party,
    sentOn: 1,
    hash: user.hosted ? null : { bytes: new TextEncoder().encode(token), scheme: 2 },
  };
  if (!rules.writeAhead) return record;
  const written = writeAhead(self, attempt, record, inputs, verified.generation);
  const { sentFrom, sentUntil } = record;
  self.say(() => `records ${token} on r${row.id + 1} from ${sentFrom} until ${sentUntil}: ${written}`);
  if (written === 'written' && !bad(luck)) return record;
  if (written === 'stale') self.verified = null;
  if (written === 'reserved' || written === 'earlier') {
    self.world.count(written);
    return givenBack(written === 'reserved' ? 'RESERVED' : 'NOT_ITS_TURN');
  }
  return unsent(`write-ahead ${written}`);
}

/** With LANES=holdings, it reserves what is spent. */
function writeAhead(
  { world: { database, lanes, began } }: Self,
  { claim }: Attempt,
  record: SubmissionRecord,
  inputs: readonly number[],
  generation: number,
): ReturnType<typeof database.reserve> {
  if (lanes !== 'holdings') return database.writeAhead(claim, record, generation);
  const answer = database.reserve(claim, record, inputs.map(contractId), generation);
  if (answer === 'written') began(claim.row);
  return answer;
}

/** After the longest backoff a row that waits is looked at anyway: money may come from elsewhere. */
const WAIT_MAX_MS = 60_000;

type Sent = Pick<Message, 'answer' | 'nr'>;

/** Once (rule 3). Another participant knows nothing of the party. */
function send(self: Self, { claim }: Attempt, record: SubmissionRecord, inputs: readonly number[]): Sent {
  const { ledger, rules, count } = self.world;
  if (self.view !== ledger.ours) {
    self.say(() => 'sends to another participant');
    return { nr: 0, answer: { kind: 'refused', refusal: UNKNOWN_PARTY } };
  }
  const { row, token } = claim;
  const { party, sentUntil, hash } = record;
  const until = sentUntil === null ? null : microsOf(sentUntil) + (rules.bound ? 0n : microsOf(3_600_000));
  const ledgerTime = until === null || row.steps === 2 ? null : until - microsOf(TOLERANCE_MS);
  const message = ledger.send({
    submissionId: token,
    row: row.id,
    commandId: row.txHash,
    party,
    amount: row.amount,
    inputs,
    bound:
      hash !== null && until !== null
        ? { kind: 'record-time', until, hash: hash.bytes }
        : { kind: 'ledger-time', until: ledgerTime },
  });
  self.say(
    () =>
      `sends s${message.nr} for r${row.id + 1} as ${token}, until ${sentUntil}, spending ${inputs.join(' ')}`,
  );
  self.world.left(message);
  count('sent');
  return message;
}

const UNKNOWN_PARTY = {
  kind: 'suspect',
  blame: 'sender',
  errorId: 'UNKNOWN_SUBMITTERS',
  detail: '',
  retryAfterMs: null,
} as const;

/** Waits, until the answer is there or given up; what it makes of the row is `decide`'s. */
function* answered(self: Self, { claim }: Attempt, record: SubmissionRecord, sent: Sent): Steps<Verdict> {
  const { rules, count } = self.world;
  const { attempts } = claim.row;
  for (;;) {
    const luck = yield;
    const { answer } = sent;
    if (bad(luck)) {
      self.say(() => `hears nothing of s${sent.nr}`);
      count('unanswered');
      return rules.decide({ kind: 'unknown', detail: 'no answer' }, attempted(attempts));
    }
    if (answer === null) continue;
    self.say(() => `hears of s${sent.nr}: ${answer.kind}`);
    if (answer.kind === 'duplicate') {
      const chased = chase(self, claim, record, answer.completionOffset);
      return chased ?? undecided('now', 'DUPLICATE_COMMAND');
    }
    return rules.decide(answer, attempted(attempts));
  }
}

const attempted = (attempts: number): Attempted => ({
  attempts,
  policy: { minMs: 500, maxMs: 60_000, maxAttempts: MAX_ATTEMPTS },
  probeMs: PROBE_MS,
  random: () => 0.5,
  walletMessage: (errorId) => errorId,
  held: true,
  note: null,
});

/** The first that suffice; null: not enough. */
function choose(coins: readonly Coin[], amount: number): number[] | null {
  const inputs: number[] = [];
  let sum = 0;
  for (const coin of coins) {
    if (sum >= amount) break;
    inputs.push(coin.id);
    sum += coin.amount;
  }
  return sum >= amount ? inputs : null;
}
