// One instance, as src/path goes its way: check, claim, then the row's own steps, and settle. Several rows at a time.
import type { Mark } from '../../../src/protocol/proof.js';
import type { Verdict } from '../../../src/protocol/verdict.js';
import type { Claim } from './database.js';
import { beforeFailing, look } from './looking.js';
import { bad, GOOD, type Luck, Self, type Steps, type Surroundings, type Verified } from './self.js';
import { submit } from './submitting.js';
import { PARTICIPANT } from './times.js';

export type Task = Steps<void>;

export class Instance {
  tasks: Task[] = [];
  readonly self: Self;

  constructor(name: string, world: Surroundings) {
    this.self = new Self(name, world);
  }

  die(): void {
    this.tasks = [];
    this.self.forget();
  }

  /** Begins something new: a check where it has not passed one, else a claim. */
  begin(what: 'fresh' | 'undecided'): void {
    const { self } = this;
    this.#start(self.verified === null ? check(self) : claimOne(self, what, self.verified));
  }

  keepMarks(): void {
    if (this.self.verified !== null) this.#start(keepMarks(this.self));
  }

  #start(task: Task): void {
    if (this.step(task, GOOD)) this.tasks.push(task);
  }

  /** False: it is over. */
  step(task: Task, luck: Luck): boolean {
    return task.next(luck).done !== true;
  }
}

/** The right participant, the right database: before anything is claimed. */
function* check(self: Self): Task {
  const { database, count } = self.world;
  const pinned = database.pinned();
  const { view } = self;
  if (view.id !== PARTICIPANT || view.end < pinned.ledgerEnd || !self.proven(pinned.mark)) {
    self.say(() => 'finds another participant, and claims nothing');
    return;
  }
  if (pinned.timeline !== database.timeline) {
    self.say(() => 'sees a new timeline');
    yield;
    if (!database.recheck(pinned.generation, self.latest())) return;
    self.say(() => 'rechecks');
    count('rechecked');
    return;
  }
  const { generation, mark, recheck } = pinned;
  self.verified = { generation, mark, recheck };
  self.sentFrom = view.end;
}

/** What all instances hold the participant against, and where a read may begin: moved on, over a proof. */
function* keepMarks(self: Self): Task {
  const { database } = self.world;
  const { view } = self;
  const { mark, ledgerEnd } = database.pinned();
  if (view.id !== PARTICIPANT || view.end < ledgerEnd || !self.proven(mark)) {
    self.verified = null;
    return;
  }
  const accepted = view.events.filter((event) => event.kind === 'accepted').at(-1);
  const { end } = view;
  yield;
  self.sentFrom = end;
  const [party] = accepted?.parties ?? [];
  const next =
    accepted === undefined || party === undefined
      ? null
      : ({ offset: accepted.offset, updateId: accepted.updateId, party } as Mark);
  if (database.advanceMarks(end, next)) self.say(() => `pins the ledger end ${end}`);
}

function* claimOne(self: Self, what: 'fresh' | 'undecided', verified: Verified): Task {
  const { database, rules, clock } = self.world;
  const at = clock();
  const claim = database.claim(what, verified.generation, self.sentFrom);
  if (claim === 'stale') {
    self.verified = null;
    return;
  }
  if (claim === 'none') return;
  const { row, token, own } = claim;
  const wrote = own === null ? '' : `, recorded from ${own.sentFrom} until ${own.sentUntil}`;
  self.say(() => `claims r${row.id + 1} as ${token}${what === 'undecided' ? ', undecided' : wrote}`);
  self.told(claim.now, at);
  if (bad(yield)) return self.say(() => 'does not hear of its claim');
  const attempt = { claim, at };
  if (what === 'undecided' && row.record !== null && rules.look) {
    yield* settle(self, claim, (yield* look(self, attempt, row.record)).verdict);
    return;
  }
  const verdict = yield* submit(self, attempt);
  yield* settle(self, claim, yield* beforeFailing(self, attempt, verdict));
}

/** Writes until it is told what became of it, however often the acknowledgement gets lost (I9). */
function* settle(self: Self, claim: Claim, verdict: Verdict): Task {
  const { row, token } = claim;
  const { database, count } = self.world;
  for (;;) {
    const luck = yield;
    const answer = database.settle(claim, verdict);
    self.say(() => `settles r${row.id + 1} as ${token}, ${nameOf(verdict)}: ${answer}`);
    count(answer === 'settled' ? verdict.kind : answer);
    if (answer !== 'stale' && !bad(luck)) return;
    if (answer !== 'stale') self.say(() => 'does not hear of it, and writes again');
  }
}

const nameOf = (verdict: Verdict): string =>
  verdict.kind === 'pending'
    ? `${verdict.record} the record (${verdict.lastError ?? verdict.wait})`
    : verdict.kind;
