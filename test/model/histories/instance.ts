// One instance, as src/path goes its way: each `yield` is a moment at which it may be paused, killed or left behind, and
// what comes back is its luck at that point. It remembers nothing but what its process would.
import { nextLookMs } from '../../../src/core/backoff.js';
import { type Attempt, parked, released } from '../../../src/core/decide.js';
import { type DbMillis, dbMillis, type Micros, microsOf, type Offset } from '../../../src/core/ids.js';
import { chaseFrom, type Finding } from '../../../src/core/look.js';
import type { CompletionEvent } from '../../../src/core/outcome.js';
import type { Mark, Recheck } from '../../../src/core/ports.js';
import { proofAtBegin } from '../../../src/core/proof.js';
import type { SubmissionRecord } from '../../../src/core/row.js';
import type { Verdict } from '../../../src/core/settlement.js';
import type { Claim, Database } from './database.js';
import { type Coin, type Ledger, type Message, shows, type View } from './ledger.js';
import type { Rules } from './rules.js';
import { PARTICIPANT, PROBE_MS, SYNCHRONIZER, TOLERANCE_MS, WINDOW_MS } from './times.js';

/** 0 to 9; the lowest two are bad: an acknowledgement lost, a connection gone, no answer. */
export type Luck = number;
const bad = (luck: Luck): boolean => luck < 2;

export type Task = Generator<undefined, void, Luck>;
type Steps = Generator<undefined, Verdict, Luck>;

/** What an instance has in common with everybody. */
export interface Surroundings {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly rules: Rules;
  readonly clock: () => number;
  readonly say: (words: () => string) => void;
  readonly count: (what: string) => void;
}

interface Verified {
  readonly generation: number;
  readonly mark: Mark | null;
  readonly recheck: Recheck | null;
}

const POLICY = { minMs: 500, maxMs: 60_000, maxAttempts: 12 };
/** Reads of a stream until patience is over. */
const PATIENCE = 4;

export class Instance {
  tasks: Task[] = [];
  /** Where its connection leads now. */
  view: View;
  #verified: Verified | null = null;
  #sentFrom: Offset = 0n;
  /** The latest time of the database, and of the ledger, that it was told. */
  #told: { readonly time: DbMillis; readonly at: number } | null = null;
  #recordTime: Micros = 0n;

  constructor(
    readonly name: string,
    private readonly world: Surroundings,
  ) {
    this.view = world.ledger.ours;
  }

  die(): void {
    this.tasks = [];
    this.#verified = null;
    this.#told = null;
    this.#recordTime = 0n;
  }

  /** Begins something new, where it may. */
  begin(what: 'fresh' | 'undecided'): void {
    const task = this.#verified === null ? this.#check() : this.#claim(what, this.#verified);
    if (this.step(task, 9)) this.tasks.push(task);
  }

  keepMarks(): void {
    const task = this.#marks();
    if (this.#verified !== null && this.step(task, 9)) this.tasks.push(task);
  }

  /** False: it is over. */
  step(task: Task, luck: Luck): boolean {
    return task.next(luck).done !== true;
  }

  #say(words: () => string): void {
    this.world.say(() => `${this.name} ${words()}`);
  }

  #now(claim: Claim, at: number): DbMillis {
    return dbMillis(Math.floor(claim.now + (this.world.clock() - at)));
  }

  #doubt(): void {
    this.#verified = null;
  }

  /** Is this the pinned participant, with its history? */
  #proven(mark: Mark | null): boolean {
    return mark === null ? this.view.id === PARTICIPANT : shows(this.view, mark);
  }

  /** The right participant, the right database: before anything is claimed. */
  *#check(): Task {
    const { database } = this.world;
    const pinned = database.pinned();
    const { view } = this;
    if (view.id !== PARTICIPANT || view.end < pinned.ledgerEnd || !this.#proven(pinned.mark)) {
      this.#say(() => 'finds another participant, and claims nothing');
      return;
    }
    if (pinned.timeline !== database.timeline) {
      this.#say(() => 'sees a new timeline');
      yield;
      if (database.recheck(pinned.generation, this.#notBefore())) {
        this.#say(() => 'rechecks');
        this.world.count('rechecked');
      }
      return;
    }
    const { generation, mark, recheck } = pinned;
    this.#verified = { generation, mark, recheck };
    this.#sentFrom = view.end;
  }

  #notBefore(): DbMillis {
    const told = this.#told === null ? 0 : this.#told.time + (this.world.clock() - this.#told.at);
    return dbMillis(Math.floor(Math.max(told, Number(this.#recordTime / 1000n))));
  }

  /** What all instances hold the participant against, and where a read may begin: moved on, over a proof. */
  *#marks(): Task {
    const { database } = this.world;
    const { view } = this;
    const { mark, ledgerEnd } = database.pinned();
    if (view.id !== PARTICIPANT || view.end < ledgerEnd || !this.#proven(mark)) return this.#doubt();
    const newest = [...view.events].reverse().find((event) => event.kind === 'accepted');
    const { end } = view;
    yield;
    this.#sentFrom = end;
    const [party] = newest?.parties ?? [];
    const next =
      newest === undefined || party === undefined
        ? null
        : ({ offset: newest.offset, updateId: newest.updateId, party } as Mark);
    if (database.advanceMarks(end, next)) this.#say(() => `pins the ledger end ${end}`);
  }

  *#claim(what: 'fresh' | 'undecided', verified: Verified): Task {
    const { database, rules, clock } = this.world;
    const sentFrom = this.#sentFrom;
    const at = clock();
    const claim = database.claim(what, verified.generation, sentFrom);
    if (claim === 'stale') return this.#doubt();
    if (claim === 'none') return;
    const { row, token, own } = claim;
    const wrote = own === null ? '' : `, recorded from ${own.sentFrom} until ${own.sentUntil}`;
    this.#say(() => `claims r${row.id + 1} as ${token}${what === 'undecided' ? ', undecided' : wrote}`);
    this.#told = { time: claim.now, at };
    if (bad(yield)) return this.#say(() => 'does not hear of its claim');
    const { record } = row;
    const verdict =
      what === 'undecided' && record !== null && rules.look
        ? yield* this.#look(claim, record, at)
        : yield* this.#submit(claim, verified, sentFrom, at);
    yield* this.#settle(claim, verdict);
  }

  /** Writes until it is told what became of it, however often the acknowledgement gets lost (I9). */
  *#settle({ row, token }: Claim, verdict: Verdict): Generator<undefined, void, Luck> {
    for (;;) {
      const luck = yield;
      const answer = this.world.database.settle(row.id, token, verdict);
      this.#say(() => `settles r${row.id + 1} as ${token}, ${nameOf(verdict)}: ${answer}`);
      this.world.count(answer === 'settled' ? verdict.kind : answer);
      if (answer !== 'stale' && !bad(luck)) return;
      if (answer !== 'stale') this.#say(() => 'does not hear of it, and writes again');
    }
  }

  /** Fresh: judge, write ahead, send once, decide by the answer. */
  *#submit(claim: Claim, verified: Verified, sentFrom: Offset, at: number): Steps {
    const { ledger, rules, database } = this.world;
    const { row, user } = claim;
    yield;
    const before = this.#proven(verified.mark);
    const inputs = choose(this.view === ledger.ours ? ledger.coinsOf(user.party) : [], row.amount);
    if (inputs === null) {
      yield;
      if (!(before && this.#proven(verified.mark)))
        return released('clear', PROBE_MS, -1, 'UNPROVEN: the balance is too small');
      return yield* this.#failed(claim, verified, INSUFFICIENT);
    }
    const record = yield* this.#written(claim, verified, sentFrom, at);
    if ('kind' in record) return record;
    if (bad(yield)) return released('clear', 'now', -1, 'NOT_SENT: the connection is not ready');

    const message = this.#send(claim, record, inputs);
    if (!rules.writeAhead) {
      yield;
      database.writeAhead(claim, record, verified.generation);
    }
    for (;;) {
      const luck = yield;
      const { answer } = message;
      if (bad(luck)) {
        this.#say(() => `hears nothing of s${message.nr}`);
        this.world.count('unanswered');
        return rules.decide({ kind: 'unknown', detail: 'no answer' }, attemptOf(row.attempts, false));
      }
      if (answer === null) continue;
      this.#say(() => `hears of s${message.nr}: ${answer.kind}`);
      if (answer.kind === 'duplicate')
        return (
          this.#chase(claim, record, answer.completionOffset) ??
          released('keep', 'now', 0, 'DUPLICATE_COMMAND')
        );
      const proven = before && this.#proven(verified.mark);
      const verdict = rules.decide(answer, attemptOf(row.attempts, proven));
      return verdict.kind === 'failed' ? yield* this.#failed(claim, verified, verdict) : verdict;
    }
  }

  /** The record that stands when the request leaves; where it is not there, nothing leaves. */
  *#written(
    claim: Claim,
    { generation }: Verified,
    sentFrom: Offset,
    at: number,
  ): Generator<undefined, SubmissionRecord | Verdict, Luck> {
    const { own, user, row, token } = claim;
    const { rules, database } = this.world;
    const endless = user.hosted && row.steps === 2 && rules.twoStepRecord;
    if (own !== null && !endless) return own;
    // External: the bound is the prepared transaction's; from here to the write-ahead it is being signed.
    const sentUntil = dbMillis(this.#now(claim, at) + WINDOW_MS + (user.hosted ? TOLERANCE_MS : 0));
    const record: SubmissionRecord = {
      sentFrom: own?.sentFrom ?? sentFrom,
      sentUntil: endless ? null : (own?.sentUntil ?? sentUntil),
      submissionId: token,
      party: user.party,
      sentOn: 1,
      hash: user.hosted ? null : { bytes: new TextEncoder().encode(token), scheme: 2 },
    };
    if (!rules.writeAhead) return record;
    const luck = yield;
    const written = database.writeAhead(claim, record, generation);
    this.#say(
      () => `records ${token} on r${row.id + 1} from ${sentFrom} until ${record.sentUntil}: ${written}`,
    );
    if (written === 'written' && !bad(luck)) return record;
    if (written === 'stale') this.#doubt();
    return released('clear', 'now', -1, `NOT_SENT: write-ahead ${written}`);
  }

  #send(
    { row, token }: Claim,
    { party, sentUntil, hash }: SubmissionRecord,
    inputs: readonly number[],
  ): Pick<Message, 'answer' | 'nr'> {
    const { ledger, rules } = this.world;
    if (this.view !== ledger.ours) {
      this.#say(() => 'sends to another participant');
      const refusal = {
        kind: 'for-good-by-state',
        blame: 'all',
        errorId: 'UNKNOWN_SUBMITTERS',
        detail: '',
        retryAfterMs: null,
      } as const;
      return { nr: 0, answer: { kind: 'refused', refusal } };
    }
    const until = sentUntil === null ? null : microsOf(sentUntil) + (rules.bound ? 0n : microsOf(3_600_000));
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
          : {
              kind: 'ledger-time',
              until: until === null || row.steps === 2 ? null : until - microsOf(TOLERANCE_MS),
            },
    });
    this.#say(() => `sends s${message.nr} for r${row.id + 1} as ${token}, until ${sentUntil}`);
    this.world.count('sent');
    return message;
  }

  /** `failed`, but where the row itself may have been done before a failover: the ledger says so (P20). */
  *#failed(claim: Claim, { recheck, mark }: Verified, verdict: Verdict): Steps {
    const { rules } = this.world;
    if (recheck === null || !rules.lookBeforeFailed) return verdict;
    yield;
    const { view } = this;
    const record = { submissionId: null, sentUntil: recheck.until, hash: null };
    const begin = rules.beginBefore(recheck.from, mark);
    if (!this.#proven(mark)) return released('clear', PROBE_MS, -1, 'UNPROVEN');
    for (const event of view.events.filter(({ offset }) => offset > begin)) {
      const finding = rules.lookAt(event, claim.row.txHash, record, SYNCHRONIZER);
      if (finding?.kind === 'accepted') return this.#verify(claim, finding);
      if (finding?.kind === 'dead') return verdict;
    }
    return released(
      'clear',
      nextLookMs(this.world.database.now() - recheck.until),
      -1,
      'UNDECIDED: a lost row',
    );
  }

  /** Rule 4: one read of the stream, from before it was sent, and nothing else. */
  *#look(claim: Claim, record: SubmissionRecord, at: number): Steps {
    const { rules } = this.world;
    const verified = this.#verified;
    if (verified === null) return released('keep', 'now', 0, null);
    const { mark } = verified;
    const { view } = this;
    if (mark === null && rules.proof && view.id !== PARTICIPANT)
      return later(claim, record, this.#now(claim, at));
    const begin = rules.beginBefore(rules.sentFrom ? record.sentFrom : view.end, mark);
    const party = rules.recordParty ? record.party : claim.user.party;
    let proof = proofAtBegin(mark);
    let last = begin;
    let dead = false;
    for (let patience = PATIENCE; patience > 0; patience--) {
      if (bad(yield)) break;
      for (const event of view.events.filter(({ offset }) => offset > last)) {
        last = event.offset;
        if (!concerns(event, [party, mark?.party])) continue;
        this.#recordTime = newest(this.#recordTime, event);
        proof = rules.observeProof(proof, mark, event);
        if (proof === 'missed' && rules.proof) {
          this.#say(() => 'looks, and finds another participant');
          this.world.count('another');
          this.#doubt();
          return later(claim, record, this.#now(claim, at));
        }
        const finding = dead ? null : rules.lookAt(event, claim.row.txHash, record, SYNCHRONIZER);
        if (finding?.kind === 'accepted') return this.#verify(claim, finding);
        if (finding?.kind === 'duplicate')
          return (
            this.#chase(claim, record, finding.completionOffset) ??
            released('keep', 5_000, 0, 'DUPLICATE_COMMAND')
          );
        if (finding?.kind === 'dead') dead = true;
        const proven =
          proof === 'shown' || (proof === 'unmarked' && this.view.id === PARTICIPANT) || !rules.proof;
        if (dead && proven) {
          this.#say(() => `looks, and finds r${claim.row.id + 1} dead`);
          this.world.count('dead');
          return released('clear', 'now', 0, 'DEAD: its bound has passed');
        }
      }
    }
    this.#say(() => `looks, and finds nothing on r${claim.row.id + 1}`);
    return later(claim, record, this.#now(claim, at));
  }

  /** Completed only by what is shown to be this transfer: its id, else its content (P22). */
  #verify({ row }: Claim, found: Extract<Finding, { kind: 'accepted' }>): Verdict {
    const { ledger, rules } = this.world;
    const ours = found.ours || !rules.content || ledger.updates.get(found.updateId) === row.id;
    this.#say(() => `finds ${ours ? 'the' : 'a foreign'} acceptance of r${row.id + 1}`);
    this.world.count(ours ? 'found' : 'foreign');
    if (ours) return { kind: 'completed', updateId: found.updateId, offset: found.offset, note: null };
    return parked(`FOREIGN_ACCEPTANCE: update ${found.updateId}`, 'keep');
  }

  #chase(claim: Claim, record: SubmissionRecord, completionOffset: Offset | null): Verdict | null {
    const { rules } = this.world;
    if (!rules.chase)
      return { kind: 'completed', updateId: 'duplicate', offset: completionOffset ?? 0n, note: null };
    const mark = this.#verified?.mark ?? null;
    if (this.#verified === null || !this.#proven(mark)) return null;
    const { beginExclusive, until } = chaseFrom(completionOffset, this.view.end, 0n);
    for (const event of this.view.events) {
      if (event.offset <= beginExclusive) continue;
      const finding = rules.lookAt(event, claim.row.txHash, { ...record, sentUntil: null }, SYNCHRONIZER);
      if (finding?.kind === 'accepted') return this.#verify(claim, finding);
      if (event.offset >= until) return parked('LOST_DUPLICATE', 'keep');
    }
    return null;
  }
}

const INSUFFICIENT: Verdict = {
  kind: 'failed',
  message: 'insufficient balance',
  detail: 'INSUFFICIENT_BALANCE',
};

/** Rule 4: still undecided, to be looked at again. */
function later({ row }: Claim, { sentUntil }: SubmissionRecord, now: DbMillis): Verdict {
  if (sentUntil !== null) return released('keep', nextLookMs(now - sentUntil), 0, 'UNDECIDED');
  if (row.attempts + 1 >= POLICY.maxAttempts) return parked('UNDECIDED: it may commit at any time', 'keep');
  return { kind: 'pending', record: 'keep', wait: nextLookMs(null), attempts: 1, lastError: 'UNDECIDED' };
}

const attemptOf = (attempts: number, proven: boolean): Attempt => ({
  attempts,
  policy: POLICY,
  probeMs: PROBE_MS,
  random: () => 0.5,
  walletMessage: (errorId) => errorId,
  proven,
  note: null,
});

/** The fewest that suffice, as a wallet would; null: not enough. */
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

/** A stream lists the parties it is asked for; checkpoints come in any. */
const concerns = (event: CompletionEvent, parties: readonly (string | undefined)[]): boolean =>
  event.kind !== 'accepted' || event.parties.some((party) => parties.includes(party));

function newest(known: Micros, event: CompletionEvent): Micros {
  const times = event.kind === 'checkpoint' ? event.times : event.time === null ? [] : [event.time];
  const [time] = times;
  return time !== undefined && time.recordTime > known ? time.recordTime : known;
}

const nameOf = (verdict: Verdict): string =>
  verdict.kind === 'pending'
    ? `${verdict.record} the record (${verdict.lastError ?? verdict.wait})`
    : verdict.kind;
