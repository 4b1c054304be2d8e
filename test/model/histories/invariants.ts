// What must hold after every step, whatever happened, and at the end, once nothing goes wrong any more.
import { isReserved } from '../../../src/protocol/lanes.js';
import type { Database, Row, User } from './database.js';
import { contractId, isDue, lowestOf } from './lanes.js';
import type { Coin, Ledger, Message } from './ledger.js';
import { MAX_ATTEMPTS } from './self.js';
import type { Setup } from './steps.js';

export class Invariants {
  readonly #last: string[] = [];
  /** Of rows that were parked although nobody remembers what they spend: those step aside, and may still be accepted. */
  readonly #aside = new Set<Message>();

  constructor(
    private readonly setup: Setup,
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly user: (row: Row) => User,
  ) {}

  /** I4 and I5, and the rule that both rest on. `failedOver`: what a failover loses is not flipped by anybody. */
  check(failedOver: boolean): void {
    this.setup.rows.forEach((_, id) => {
      this.#checkRow(id, failedOver);
    });
    this.#stepAside();
  }

  #stepAside(): void {
    for (const message of this.ledger.messages) {
      const row = this.database.row(message.row);
      if (row?.record != null && row.inputs === null && row.availableAt === Number.POSITIVE_INFINITY)
        this.#aside.add(message);
    }
  }

  /** I6: the rows of a sender begin in the order of their nonces. */
  began({ id, sender }: Row): void {
    const lowest = lowestOf(this.database.rows(), sender);
    if (lowest !== null && lowest.id < id) throw new Error(`I6: r${id + 1} begins before r${lowest.id + 1}`);
  }

  /** I6: what it spends, nothing else spends that may still be accepted; and it is there. */
  left(message: Message): void {
    // Past its bound it is refused, whatever it spends.
    if (this.setup.lanes !== 'holdings' || !this.ledger.alive(message)) return;
    this.#stepAside();
    const spendsToo = (coin: number): Message | undefined =>
      this.ledger.messages.find(
        (one) =>
          one !== message &&
          one.inputs.includes(coin) &&
          (one.accepted || this.ledger.alive(one)) &&
          !this.#aside.has(one),
      );
    for (const coin of message.inputs) {
      const other = spendsToo(coin);
      // What another sender of the party has spent since it was read is refused, which costs a call.
      if (other === undefined || (other.accepted && !this.#ofOneSender(other, message))) continue;
      throw new Error(`I6: s${message.nr} and s${other.nr} spend one holding`);
    }
  }

  #ofOneSender(one: Message, other: Message): boolean {
    const { rows } = this.setup;
    return rows[one.row]?.sender === rows[other.row]?.sender;
  }

  /** I5, P28: what other transfers may be spending counts as well. */
  tooLittle({ id, amount }: Row, coins: readonly Coin[]): void {
    if (sum(coins) >= amount) throw new Error(`I5: r${id + 1} is to fail, and is covered`);
  }

  #checkRow(id: number, failedOver: boolean): void {
    const messages = this.ledger.messages.filter((message) => message.row === id);
    const accepted = messages.filter((message) => message.accepted).length;
    const undecided = messages.filter((message) => this.ledger.alive(message)).length;
    const status = this.database.row(id)?.status ?? 'not there';
    const must = (holds: boolean, what: string): void => {
      if (!holds) throw new Error(`${what} (r${id + 1} is ${status})`);
    };
    must(accepted <= 1, 'I4: accepted twice');
    // Of a row whose very insert was lost nobody can know: there deduplication serves.
    must(undecided <= 1 || this.setup.insertsLost, 'I4: two submissions are undecided');
    must(status !== 'completed' || accepted === 1, 'I5: completed, and not accepted');
    must(status !== 'failed' || accepted === 0, 'I5: failed, and accepted');
    must(status !== 'failed' || undecided === 0, 'I5: failed, and it may still be accepted');
    const last = this.#last[id];
    const final = last === 'completed' || last === 'failed';
    must(!final || last === status || failedOver, `I5: it was ${last}`);
    this.#last[id] = status;
  }

  ended(): boolean {
    return this.database.rows().every((row) => row !== null && this.#hasEnded(row));
  }

  /** I3. */
  checkEnd(): void {
    const open = this.database.rows().find((row) => row === null || !this.#hasEnded(row));
    if (open !== undefined) throw new Error(`I3: r${(open?.id ?? -1) + 1} does not end: ${open?.lastError}`);
  }

  /** Parked is an end for what needs a person, and says why. */
  #hasEnded(row: Row): boolean {
    const { txHash, status, availableAt, lastError, steps, attempts } = row;
    if (status !== 'pending' || this.#waitsForAPerson(row)) return true;
    if (availableAt !== Number.POSITIVE_INFINITY || lastError === null) return false;
    if (lastError.startsWith('FOREIGN_ACCEPTANCE')) return this.ledger.foreigns.has(txHash);
    if (lastError.startsWith('UNDECIDED')) return steps === 2;
    return attempts >= MAX_ATTEMPTS;
  }

  /** What an undecided row that is parked has reserved stays reserved: too little is left for the sender's lowest row. */
  #waitsForAPerson({ sender, record }: Row): boolean {
    const rows = this.database.rows();
    const lowest = lowestOf(rows, sender);
    if (this.setup.lanes !== 'holdings' || record !== null || lowest?.lastError !== 'RESERVED') return false;
    const { party } = this.user(lowest);
    const parked = this.database.reserved(party).filter(({ id }) => !isDue(rows[Number(id)] ?? null));
    const isParked = isReserved(parked);
    const free = this.ledger.coinsOf(party).filter(({ id }) => !isParked(contractId(id)));
    return sum(free) < lowest.amount;
  }
}

const sum = (coins: readonly Coin[]): number => coins.reduce((total, { amount }) => total + amount, 0);
