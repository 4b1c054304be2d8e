// The whole world of one history: a few rows, three instances, a ledger, a database, a network, and what may befall them.
import { dbMillis, type Micros, microsOf, type Party, type TxHash } from '../../../src/core/ids.js';
import type { Mark } from '../../../src/protocol/proof.js';
import { Database, type Row, type User } from './database.js';
import { Instance } from './instance.js';
import { Invariants } from './invariants.js';
import { type Coin, Ledger, type Message, type View } from './ledger.js';
import type { Rules } from './rules.js';
import { GOOD } from './self.js';
import type { RowSetup, Setup, Step } from './steps.js';
import { SKEW_MAX_MS, TOLERANCE_MS, WINDOW_MAX_MS } from './times.js';

/** The world begins so long after the epoch, in ms. */
const BEGIN = 1_000_000;
const PARTIES = ['alice::1', 'alice::2'] as Party[];
/** Rounds in which all must end once nothing goes wrong any more; a wait is 60 s at most, a row looks a dozen times. */
const ROUNDS = 24;
/** LANES=holdings: a row may wait for another to end, and that one for a third. */
const ROUNDS_A_ROW = 20;
const ROUND_MS = 61_000;

export class World {
  readonly words: string[] = [];
  readonly counts = new Map<string, number>();
  readonly database: Database;
  readonly ledger: Ledger;
  readonly instances: readonly Instance[];
  readonly #users: User[];
  readonly #invariants: Invariants;
  /** Known to everybody from the start. A participant restored to a later moment than the mark cannot be told. */
  readonly #mark: Mark | null;
  #time = BEGIN;

  constructor(
    readonly setup: Setup,
    readonly rules: Rules,
    private readonly telling = false,
  ) {
    const clock = (): number => this.#time;
    this.ledger = new Ledger(microsOf(this.#time + setup.ledgerAheadMs), setup.dedup);
    // By sender: each as its first row has it.
    this.#users = setup.rows.map((_, sender) => ({
      party: PARTIES[0] as Party,
      hosted: setup.rows.find((row) => row.sender === sender)?.hosted ?? true,
    }));
    const user = ({ sender }: Row): User =>
      this.#users[sender] ?? { party: PARTIES[0] as Party, hosted: true };
    const rows = setup.rows.map((row, id) => this.#insertion(row, id));
    const present = rows.map((row) => (setup.rows[row.id]?.before === 'later' ? null : row));
    const pinned = this.ledger.begin(setup.marked ? (PARTIES[0] as Party) : null);
    this.#mark = pinned.mark;
    this.database = new Database(present, setup.databaseAheadMs, pinned, clock, rules, setup.lanes, user);
    for (const party of PARTIES) for (const amount of setup.coins) this.ledger.earn(party, amount);
    const invariants = new Invariants(setup, this.database, this.ledger, user);
    this.#invariants = invariants;
    const world = {
      database: this.database,
      ledger: this.ledger,
      rules,
      lanes: setup.lanes,
      clock,
      say: (words: () => string) => this.#say(words),
      count: (what: string) => this.#count(what),
      began: (row: Row) => invariants.began(row),
      left: (message: Message) => invariants.left(message),
      tooLittle: (row: Row, coins: readonly Coin[]) => invariants.tooLittle(row, coins),
    };
    this.instances = ['A', 'B', 'C'].map((name) => new Instance(name, world));
    for (const row of rows) if (setup.rows[row.id]?.before === 'sent') this.#oldSubmitter(row);
  }

  #insertion({ sender, amount, steps, before }: RowSetup, id: number): Row {
    const now = this.#time + this.setup.databaseAheadMs;
    // Pending when the old submitter was stopped: whatever it sent, nobody knows (P24).
    const record =
      before === 'new' || before === 'later'
        ? null
        : {
            sentFrom: 0n,
            sentUntil: dbMillis(now + WINDOW_MAX_MS + TOLERANCE_MS + SKEW_MAX_MS),
            submissionId: null,
            party: PARTIES[0] as Party,
            sentOn: 1,
            hash: null,
          };
    return {
      id,
      sender,
      txHash: `0x0${id + 1}` as TxHash,
      amount,
      steps: record === null ? steps : 1,
      status: 'pending',
      token: null,
      record,
      inputs: null,
      waits: null,
      attempts: 0,
      availableAt: 0,
      lastError: null,
    };
  }

  #oldSubmitter(row: Row): void {
    const party = PARTIES[0] as Party;
    const inputs = this.ledger.coinsOf(party).map(({ id }) => id);
    const until = microsOf(this.#time + this.setup.databaseAheadMs + WINDOW_MAX_MS);
    const bound = { kind: 'ledger-time', until } as const;
    const { nr } = this.ledger.send({
      submissionId: 'old',
      row: row.id,
      commandId: row.txHash,
      party,
      amount: row.amount,
      inputs,
      bound,
    });
    this.#say(() => `the old submitter has sent s${nr} for r${row.id + 1}, and its answer is lost`);
  }

  #say(words: () => string): void {
    if (this.telling) this.words.push(words());
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** One step, then everything that must hold. */
  take(step: Step): void {
    this.#do(step);
    this.#invariants.check(step.do === 'failover');
  }

  #do(step: Step): void {
    const { ledger, database } = this;
    switch (step.do) {
      case 'act':
        for (let n = 1; n <= step.times; n++)
          this.#act(this.#instance(step.who), step.task, step.look, n === step.times ? step.luck : GOOD);
        break;
      case 'die':
        this.#die(this.#instance(step.who));
        break;
      case 'lapse':
        if (database.lapse(step.row)) this.#say(() => `the lease on r${step.row + 1} runs out`);
        break;
      case 'wait':
        this.#wait(step.ms);
        break;
      case 'wait-for-bound':
        this.#waitForBound(step.nth, step.past);
        break;
      case 'deliver':
        this.#deliver(step.nth);
        break;
      case 'arrive':
        this.#network('travelling', step.nth, (message) => ledger.arrive(message, step.fate));
        break;
      case 'sequence':
        this.#network('registered', step.nth, (message) => ledger.sequence(message, step.backpressure));
        break;
      case 'verdict': {
        const verdict = ledger.verdict(step.contention);
        if (verdict !== null) this.#say(() => `s${verdict.message.nr} ${verdict.said}`);
        break;
      }
      case 'copy':
        this.#copy(step.nth);
        break;
      case 'checkpoint':
        if (ledger.checkpoint()) this.#say(() => `the stream shows a checkpoint at ${ledger.now / 1000n}`);
        break;
      case 'foreign':
        this.#foreign(step.row);
        break;
      case 'rival':
        this.#rival();
        break;
      case 'earn':
        ledger.earn(PARTIES[0] as Party, 5);
        this.#say(() => 'the sender is paid something');
        break;
      case 'marks': {
        const instance = this.#instance(step.who);
        instance.keepMarks();
        break;
      }
      case 'connect':
        this.#connect(this.#instance(step.who), step.to);
        break;
      case 'users':
        this.#changeUser(step.row, step.what);
        break;
      case 'replay':
        if (database.replay()) this.#say(() => 'a person replays what waits');
        break;
      case 'failover':
        this.#failover(step);
        break;
      case 'insert':
        this.#insert(step.row);
        break;
    }
  }

  #instance(who: number): Instance {
    return this.instances[who % this.instances.length] as Instance;
  }

  #act(instance: Instance, nth: number, look: boolean, luck: number): void {
    // As many tasks as there are slots: two, and one more that only wants to be written.
    const task = instance.tasks[nth % (instance.tasks.length + (instance.tasks.length < 3 ? 1 : 0))];
    if (task === undefined) instance.begin(look ? 'undecided' : 'fresh');
    else if (!instance.step(task, luck)) instance.tasks = instance.tasks.filter((one) => one !== task);
  }

  #die(instance: Instance): void {
    if (instance.tasks.length === 0) return;
    this.#say(() => `${instance.self.name} is killed`);
    instance.die();
  }

  #wait(ms: number): void {
    this.#time += ms;
    this.ledger.now += microsOf(ms);
    this.#say(() => `${ms} ms pass`);
  }

  /** Bounds are where the mistakes are. */
  #waitForBound(nth: number, past: boolean): void {
    const carried = this.ledger.messages
      .filter(({ state }) => state !== 'over')
      .map((one) => this.ledger.latest(one));
    const recorded = this.database.rows().map((row) => row?.record?.sentUntil ?? null);
    const bounds = [...carried, ...recorded.map((until) => (until === null ? null : microsOf(until)))].filter(
      (until): until is Micros => until !== null && until >= this.ledger.now,
    );
    const until = bounds[nth % bounds.length];
    if (until === undefined) return;
    const micros = until - this.ledger.now + (past ? 1n : 0n);
    this.#time += Number(micros) / 1000;
    this.ledger.now += micros;
    this.#say(() => `time goes on to ${past ? 'just past ' : ''}the bound ${until / 1000n}`);
  }

  #network(state: Message['state'], nth: number, happens: (message: Message) => string): void {
    const there = this.ledger.messages.filter((message) => message.state === state);
    const message = there[nth % there.length];
    if (message === undefined) return;
    const said = happens(message);
    this.#say(() => `${message.copy ? 'a copy of ' : ''}s${message.nr} ${said}`);
  }

  #deliver(nth: number): void {
    this.#network('travelling', nth, (message) => {
      const said = this.ledger.arrive(message, 'taken');
      if (message.state !== 'registered') return said;
      const stamped = this.ledger.sequence(message, false);
      const verdict = this.ledger.verdict(false);
      return verdict?.message === message ? verdict.said : stamped;
    });
  }

  #copy(nth: number): void {
    const known = this.ledger.messages.filter(
      ({ copy, bound, recordTime }) => !copy && bound.kind === 'record-time' && recordTime > 0n,
    );
    const message = known[nth % known.length];
    if (message === undefined) return;
    this.ledger.copy(message);
    this.#say(() => `the network will deliver s${message.nr} again`);
  }

  #foreign(id: number): void {
    const row = this.database.row(id);
    if (row === null || !this.ledger.foreign(row.txHash, PARTIES[0] as Party)) return;
    this.#say(() => `a foreign transaction is accepted under the command id of r${id + 1}`);
  }

  #rival(): void {
    const coin = this.ledger.coinsOf(PARTIES[0] as Party)[0];
    if (coin === undefined) return;
    coin.spent = true;
    this.#say(() => 'another transaction of the sender spends a holding');
  }

  #connect(instance: Instance, to: 'ours' | 'another' | 'yesterday'): void {
    const { ledger } = this;
    if (to === 'yesterday' && ledger.yesterday === null && this.#mark !== null) ledger.restore(this.#mark);
    const view: View | null =
      to === 'another' ? ledger.another : to === 'yesterday' ? ledger.yesterday : ledger.ours;
    if (view === null || view === instance.self.view) return;
    instance.self.view = view;
    this.#say(
      () => `${instance.self.name}'s connection leads to ${to === 'ours' ? 'our participant again' : to}`,
    );
  }

  /** P26. With a failover it could not be told any more which party a lost record had. */
  #changeUser(id: number, what: 'party' | 'key'): void {
    const sender = this.setup.rows[id]?.sender ?? -1;
    const user = this.#users[sender];
    if (user === undefined || this.setup.failovers) return;
    const other = PARTIES.find((party) => party !== user.party) ?? user.party;
    this.#users[sender] = what === 'party' ? { ...user, party: other } : { ...user, hosted: !user.hosted };
    this.#say(() => `the sender of r${id + 1} changes its ${what}`);
  }

  #failover({ to, lag, aheadMs }: Extract<Step, { do: 'failover' }>): void {
    if (!this.setup.failovers) return;
    const lost = this.database.failover(to, lag, aheadMs);
    this.#count(lost > 0 ? 'writes lost' : 'failover');
    this.#say(() => `failover: the last ${lost} writes are lost, the clock is ${aheadMs} ms ahead`);
    // A row that was inserted after what the standby had: only where deduplication serves it.
    if (this.setup.insertsLost) this.database.forget(lag % this.setup.rows.length);
  }

  #insert(id: number): void {
    const setup = this.setup.rows[id];
    if (setup === undefined || this.database.row(id) !== null) return;
    this.database.insert(this.#insertion({ ...setup, before: 'new' }, id), !this.setup.insertsLost);
    this.#say(() => `r${id + 1} is inserted`);
  }

  /** Faults are over: everything arrives, nobody dies, every connection is the right one. Every row must end. */
  finish(): void {
    this.#say(() => 'from here on nothing goes wrong');
    this.setup.rows.forEach((_, id) => {
      this.#insert(id);
    });
    for (const instance of this.instances) {
      instance.self.view = this.ledger.ours;
      instance.die();
    }
    const rounds = this.setup.lanes === 'holdings' ? this.setup.rows.length * ROUNDS_A_ROW : ROUNDS;
    for (let round = 0; round < rounds && !this.#invariants.ended(); round++) this.#round();
    this.#invariants.checkEnd();
  }

  #round(): void {
    this.#wait(ROUND_MS);
    this.setup.rows.forEach((_, id) => {
      this.database.lapse(id);
    });
    const instance = this.#instance(0);
    for (let n = 0; n < 24; n++) {
      for (const message of this.ledger.messages) {
        if (message.state === 'travelling') this.ledger.arrive(message, 'taken');
        if (message.state === 'registered') this.ledger.sequence(message, false);
      }
      while (this.ledger.verdict(false) !== null);
      this.ledger.checkpoint();
      this.#act(instance, 0, n % 2 === 0, GOOD);
      this.#invariants.check(false);
    }
  }
}
