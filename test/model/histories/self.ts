// What an instance is to the steps of its own way: what it knows, whom it talks to, and how its luck reaches it.
import { type DbMillis, dbMillis, type Micros, type Offset } from '../../../src/core/ids.js';
import type { Recheck } from '../../../src/ports/store.js';
import type { Lanes } from '../../../src/protocol/lanes.js';
import type { Mark } from '../../../src/protocol/proof.js';
import type { Verdict } from '../../../src/protocol/verdict.js';
import type { Claim, Database, Row } from './database.js';
import { type Coin, type Ledger, type Message, shows, type View } from './ledger.js';
import type { Rules } from './rules.js';
import { PARTICIPANT } from './times.js';

/** 0 to 9; the lowest two are bad: an acknowledgement lost, a connection gone, no answer. */
export type Luck = number;
export const GOOD: Luck = 9;
export const bad = (luck: Luck): boolean => luck < 2;

/** Each `yield` is a moment at which the process may be paused, killed or left behind. */
export type Steps<T> = Generator<undefined, T, Luck>;

/** Then a row parks. */
export const MAX_ATTEMPTS = 12;

export interface Surroundings {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly rules: Rules;
  readonly lanes: Lanes;
  readonly clock: () => number;
  readonly say: (words: () => string) => void;
  readonly count: (what: string) => void;
  /** What must hold at one moment only: a row has its record, a request has left, a balance is judged too small. */
  readonly began: (row: Row) => void;
  readonly left: (message: Message) => void;
  readonly tooLittle: (row: Row, coins: readonly Coin[]) => void;
}

/** What it checked itself against. */
export interface Verified {
  readonly generation: number;
  readonly mark: Mark | null;
  readonly recheck: Recheck | null;
}

/** A claim, and when it was asked for. */
export interface Attempt {
  readonly claim: Claim;
  readonly at: number;
}

/** Nothing but what a process would remember: its death takes all of it. */
export class Self {
  /** Where its connection leads now. */
  view: View;
  verified: Verified | null = null;
  /** A ledger end known for certain. */
  sentFrom: Offset = 0n;
  #told: { readonly time: DbMillis; readonly at: number } | null = null;
  #recordTime: Micros = 0n;

  constructor(
    readonly name: string,
    readonly world: Surroundings,
  ) {
    this.view = world.ledger.ours;
  }

  forget(): void {
    this.verified = null;
    this.#told = null;
    this.#recordTime = 0n;
  }

  say(words: () => string): void {
    this.world.say(() => `${this.name} ${words()}`);
  }

  /** The database's time, as far as this process can tell (I7). */
  now({ claim, at }: Attempt): DbMillis {
    return dbMillis(Math.floor(claim.now + (this.world.clock() - at)));
  }

  told(time: DbMillis, at: number): void {
    this.#told = { time, at };
  }

  sawRecordTime(time: Micros): void {
    if (time > this.#recordTime) this.#recordTime = time;
  }

  /** The latest time that this process was told, by the database or by the ledger. */
  latest(): DbMillis {
    const told = this.#told === null ? 0 : this.#told.time + (this.world.clock() - this.#told.at);
    return dbMillis(Math.ceil(Math.max(told, Number(this.#recordTime / 1000n))));
  }

  /** Is this the pinned participant, with its history? */
  proven(mark: Mark | null): boolean {
    return mark === null ? this.view.id === PARTICIPANT : shows(this.view, mark);
  }
}

export const completed = (updateId: string, offset: Offset): Verdict => ({
  kind: 'completed',
  updateId,
  offset,
  note: null,
});
