// What must hold after every step, whatever happened, and at the end, once nothing goes wrong any more.
import type { Database, Row } from './database.js';
import type { Ledger } from './ledger.js';
import { MAX_ATTEMPTS } from './self.js';
import type { Setup } from './steps.js';

export class Invariants {
  readonly #last: string[] = [];

  constructor(
    private readonly setup: Setup,
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  /** I4 and I5, and the rule that both rest on. `failedOver`: what a failover loses is not flipped by anybody. */
  check(failedOver: boolean): void {
    this.setup.rows.forEach((_, id) => {
      this.#checkRow(id, failedOver);
    });
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
  #hasEnded({ txHash, status, availableAt, lastError, steps, attempts }: Row): boolean {
    if (status !== 'pending') return true;
    if (availableAt !== Number.POSITIVE_INFINITY || lastError === null) return false;
    if (lastError.startsWith('FOREIGN_ACCEPTANCE')) return this.ledger.foreigns.has(txHash);
    if (lastError.startsWith('UNDECIDED')) return steps === 2;
    return attempts >= MAX_ATTEMPTS;
  }
}
