// A participant and its synchronizer, in memory: what CANTON promises of them, and nothing kinder. Requests arrive when
// they like, or never; record time bounds them; verdicts and checkpoints come in record-time order; a holding is spent
// once; a signed transaction's UUID counts once. Deduplication is off unless a history asks for it.
import { type Micros, microsOf, type Offset, type Party, type TxHash } from '../../../src/core/ids.js';
import type {
  CompletionEvent,
  Outcome,
  RefusalKind,
  SynchronizerTime,
} from '../../../src/protocol/outcome.js';
import type { Mark } from '../../../src/protocol/proof.js';
import { PARTICIPANT, SYNCHRONIZER, TOLERANCE } from './times.js';

export interface Request {
  readonly submissionId: string;
  readonly row: number;
  readonly commandId: TxHash;
  readonly party: Party;
  readonly amount: number;
  readonly inputs: readonly number[];
  /** External: the latest record time. Hosted: the latest ledger time, null for a transfer of two steps: none. */
  readonly bound:
    | { readonly kind: 'record-time'; readonly until: Micros; readonly hash: Uint8Array }
    | { readonly kind: 'ledger-time'; readonly until: Micros | null };
}

export interface Message extends Request {
  /** For people: s1, s2, … */
  readonly nr: number;
  /** The network delivers some again. */
  readonly copy: boolean;
  state: 'travelling' | 'registered' | 'sequenced' | 'over';
  ledgerTime: Micros;
  recordTime: Micros;
  /** What its caller is told, if it still listens. */
  answer: Outcome | null;
  accepted: boolean;
}

export interface Coin {
  readonly id: number;
  readonly owner: Party;
  readonly amount: number;
  spent: boolean;
}

/** What one participant shows: ours, another, or ours as of yesterday. */
export interface View {
  readonly id: string;
  readonly events: CompletionEvent[];
  end: Offset;
}

export const shows = (view: View, mark: Mark): boolean =>
  view.events.some(
    (event) => event.kind === 'accepted' && event.offset === mark.offset && event.updateId === mark.updateId,
  );

const refusal = (kind: RefusalKind, errorId: string): Extract<Outcome, { kind: 'refused' }> => ({
  kind: 'refused',
  refusal: { kind, blame: 'all', errorId, detail: '', retryAfterMs: null },
});

export class Ledger {
  readonly ours: View = { id: PARTICIPANT, events: [], end: 0n };
  readonly another: View = { id: 'participant::another', events: [], end: 1_000n };
  yesterday: View | null = null;
  readonly messages: Message[] = [];
  readonly coins: Coin[] = [];
  /** What an update did: the row it transferred for, null for a foreign transaction. */
  readonly updates = new Map<string, number | null>();
  /** Command ids under which somebody else's transaction was accepted. */
  readonly foreigns = new Set<TxHash>();
  readonly #uuids = new Set<string>();

  constructor(
    public now: Micros,
    readonly dedup: boolean,
  ) {}

  /** Of a party that was here before: what it did last is marked. */
  begin(party: Party | null): { readonly ledgerEnd: Offset; readonly mark: Mark | null } {
    if (party === null) return { ledgerEnd: 0n, mark: null };
    const bound = { kind: 'ledger-time', until: null } as const;
    const done = { commandId: '0xff' as TxHash, submissionId: 't0', party, bound };
    const mark = this.#accept(done, this.now, null);
    return { ledgerEnd: mark.offset, mark: { ...mark, party } };
  }

  send(request: Request): Message {
    const nr = this.messages.filter((one) => !one.copy).length + 1;
    const message: Message = {
      ...request,
      nr,
      copy: false,
      state: 'travelling',
      ledgerTime: 0n,
      recordTime: 0n,
      answer: null,
      accepted: false,
    };
    this.messages.push(message);
    return message;
  }

  /**
   * A second copy of an external submission whose first one was sequenced. Otherwise rule 3 says that there are none;
   * this much of one the ledger itself makes harmless.
   */
  copy(of: Message): void {
    this.messages.push({ ...of, copy: true, state: 'travelling', answer: null, accepted: false });
  }

  /** The last moment for the next thing that has to happen to it; null: there is none. */
  latest({ bound, state, ledgerTime }: Message): Micros | null {
    return bound.kind === 'ledger-time' && state === 'registered' ? ledgerTime + TOLERANCE : bound.until;
  }

  /** May it still be accepted? What holdings it spends is no matter: nobody rests on that. */
  alive(message: Message): boolean {
    if (message.state === 'over' || message.copy) return false;
    const latest = this.latest(message);
    return message.state === 'sequenced' || latest === null || this.now <= latest;
  }

  coinsOf(party: Party): Coin[] {
    return this.coins.filter((coin) => coin.owner === party && !coin.spent);
  }

  /** The request reaches the participant. */
  arrive(message: Message, fate: 'taken' | 'backpressure' | 'for-good'): string {
    const { bound, commandId } = message;
    if (fate === 'backpressure') return this.#over(message, refusal('try-again', 'PARTICIPANT_BACKPRESSURE'));
    if (bound.kind === 'ledger-time') {
      // Interpretation comes before deduplication.
      if (fate === 'for-good') return this.#over(message, refusal('for-good', 'DAML_FAILURE'));
      if (bound.until !== null && this.now > bound.until)
        return this.#over(message, refusal('try-again', 'DAML_FAILURE'));
      if (!this.#unspent(message)) return this.#over(message, refusal('try-again', 'CONTRACT_NOT_FOUND'));
    }
    // What is in flight is known however old the deduplication's memory is, and across a copy all the more.
    const others = this.messages.filter((one) => one !== message && one.commandId === commandId);
    const inFlight = others.filter(({ state }) => state === 'registered' || state === 'sequenced');
    if (inFlight.some(({ nr }) => this.dedup || nr === message.nr))
      return this.#over(message, { kind: 'unknown', detail: 'SUBMISSION_ALREADY_IN_FLIGHT' });
    const earlier = this.ours.events.find(
      (event) => event.kind === 'accepted' && event.commandId === commandId,
    );
    if (this.dedup && earlier !== undefined)
      return this.#complete(message, {
        kind: 'duplicate',
        completionOffset: earlier.offset,
        detail: 'DUPLICATE_COMMAND',
      });
    message.state = 'registered';
    message.ledgerTime = this.now;
    return 'is registered';
  }

  /** The sequencer stamps it with a record time, if it is not too late. */
  sequence(message: Message, backpressure: boolean): string {
    if (backpressure) return this.#complete(message, refusal('try-again', 'SEQUENCER_BACKPRESSURE'));
    const { bound, ledgerTime } = message;
    const latest = bound.kind === 'record-time' ? bound.until : ledgerTime + TOLERANCE;
    if (this.now > latest) return this.#complete(message, refusal('try-again', 'NOT_SEQUENCED_TIMEOUT'));
    message.state = 'sequenced';
    message.recordTime = this.now;
    return 'is sequenced';
  }

  /** The next verdict, in record-time order. */
  verdict(contention: boolean): { readonly message: Message; readonly said: string } | null {
    const [message] = this.messages
      .filter(({ state }) => state === 'sequenced')
      .sort((a, b) => Number(a.recordTime - b.recordTime));
    if (message === undefined) return null;
    return { message, said: this.#decide(message, contention) };
  }

  #decide(message: Message, contention: boolean): string {
    const { bound, recordTime, submissionId } = message;
    if (bound.kind === 'record-time') {
      const known = this.#uuids.has(submissionId);
      this.#uuids.add(submissionId);
      if (known)
        return this.#complete(message, { kind: 'unknown', detail: 'DUPLICATE_CONFIRMATION_REQUEST_UUID' });
    }
    if (contention) return this.#complete(message, refusal('try-again', 'LOCAL_VERDICT_LOCKED_CONTRACTS'));
    if (!this.#unspent(message))
      return this.#complete(message, refusal('try-again', 'LOCAL_VERDICT_INACTIVE_CONTRACTS'));
    let change = -message.amount;
    for (const id of message.inputs) {
      const coin = this.coins[id];
      if (coin === undefined) continue;
      coin.spent = true;
      change += coin.amount;
    }
    if (change > 0) this.earn(message.party, change);
    const { offset, updateId } = this.#accept(message, recordTime, message.row);
    message.state = 'over';
    message.accepted = true;
    message.answer = { kind: 'accepted', updateId, offset };
    return 'is accepted';
  }

  /** Somebody else's transaction under this row's command id. */
  foreign(commandId: TxHash, party: Party): boolean {
    if (this.foreigns.has(commandId) || !this.#upToDate()) return false;
    this.foreigns.add(commandId);
    const bound = { kind: 'ledger-time', until: null } as const;
    this.#accept({ commandId, party, submissionId: 'foreign', bound }, this.now, null);
    return true;
  }

  /** No verdict is outstanding for an earlier record time. */
  #upToDate(): boolean {
    return !this.messages.some(({ state, recordTime }) => state === 'sequenced' && recordTime < this.now);
  }

  #accept(
    {
      commandId,
      submissionId,
      party,
      bound,
    }: Pick<Request, 'commandId' | 'submissionId' | 'party' | 'bound'>,
    recordTime: Micros,
    row: number | null,
  ): { readonly offset: Offset; readonly updateId: string } {
    const offset = this.#next();
    const updateId = `update-${offset}`;
    this.updates.set(updateId, row);
    this.ours.events.push({
      kind: 'accepted',
      commandId,
      submissionId,
      updateId,
      offset,
      parties: [party],
      time: time(recordTime),
      transactionHash: bound.kind === 'record-time' ? bound.hash : null,
      paidTraffic: null,
    });
    return { offset, updateId };
  }

  /** Nothing with an earlier record time will still appear. */
  checkpoint(): boolean {
    if (!this.#upToDate()) return false;
    const last = this.ours.events.at(-1);
    if (last?.kind === 'checkpoint' && last.times[0]?.recordTime === this.now) return false;
    for (const view of [this.ours, this.another, this.yesterday]) {
      if (view === null) continue;
      view.end += 1n;
      view.events.push({ kind: 'checkpoint', offset: view.end, times: [time(this.now)] });
    }
    return true;
  }

  /** From now on there is a participant that is ours, restored to before the mark. */
  restore(mark: Mark): void {
    const events = this.ours.events.filter(({ offset }) => offset < mark.offset);
    this.yesterday = { id: PARTICIPANT, events, end: mark.offset - 1n };
  }

  earn(owner: Party, amount: number): void {
    this.coins.push({ id: this.coins.length, owner, amount, spent: false });
  }

  #unspent({ inputs }: Message): boolean {
    return inputs.every((id) => this.coins[id]?.spent === false);
  }

  #next(): Offset {
    this.ours.end += 1n;
    return this.ours.end;
  }

  /** Refused at the door: its caller alone hears of it. */
  #over(message: Message, answer: Outcome): string {
    message.state = 'over';
    message.answer = answer;
    return `is refused: ${nameOf(answer)}`;
  }

  /** Refused by a completion. */
  #complete(message: Message, answer: Exclude<Outcome, { kind: 'accepted' | 'not-sent' }>): string {
    const { commandId, submissionId } = message;
    const recordTime = message.state === 'sequenced' ? time(message.recordTime) : null;
    const offset = this.#next();
    this.ours.events.push({
      kind: 'rejected',
      commandId,
      submissionId,
      offset,
      outcome: answer,
      time: recordTime,
      paidTraffic: null,
    });
    this.#over(message, answer);
    return `is refused by a completion: ${nameOf(answer)}`;
  }
}

const nameOf = (outcome: Outcome): string =>
  outcome.kind === 'refused'
    ? outcome.refusal.errorId
    : outcome.kind === 'accepted'
      ? 'accepted'
      : outcome.detail;

const time = (recordTime: Micros): SynchronizerTime => ({ synchronizerId: SYNCHRONIZER, recordTime });

export const startOfTime = microsOf(1_000_000);
