// Record time: the synchronizer's single order of everything sequenced. Anything undecided holds back everything
// behind it.
import type { Micros } from '../clock.js';

/** A place in the order, taken at sequencing and filled by the verdict. */
export interface Place {
  readonly recordTime: Micros;
  /** Publishes once everything earlier is published. */
  decide(publish: (recordTime: Micros) => void): void;
}

interface Waiting {
  readonly recordTime: Micros;
  publish?: (recordTime: Micros) => void;
}

export class RecordOrder {
  #last: Micros;
  #published: Micros;
  /** Sequenced and unpublished, from #head on. */
  #waiting: Waiting[] = [];
  #head = 0;

  constructor(
    private readonly now: () => Micros,
    from: Micros,
  ) {
    this.#last = from;
    this.#published = from;
  }

  /** The next record time: the synchronizer's clock, but always later than any before. */
  tick(at: Micros = this.now()): Micros {
    this.#last = Math.max(this.#last + 1, at);
    return this.#last;
  }

  take(recordTime: Micros): Place {
    const waiting: Waiting = { recordTime };
    this.#waiting.push(waiting);
    return {
      recordTime,
      decide: (publish) => {
        waiting.publish = publish;
        this.#flush();
      },
    };
  }

  #flush(): void {
    for (;;) {
      const first = this.#waiting[this.#head];
      if (!first?.publish) break;
      this.#head += 1;
      this.#published = first.recordTime;
      first.publish(first.recordTime);
    }
    if (this.#head > 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /**
   * The time up to which everything is decided, which a checkpoint may report. Nothing is published before it
   * afterwards.
   */
  decidedUpTo(): Micros {
    const first = this.#waiting[this.#head];
    this.#published = first ? first.recordTime - 1 : this.tick();
    return this.#published;
  }

  /**
   * A record time for something published without being sequenced (a duplicate's completion, another party's
   * transaction): now, but before everything that is sequenced and undecided.
   */
  unsequenced(): Micros {
    const first = this.#waiting[this.#head];
    this.#published = first
      ? Math.max(this.#published, Math.min(this.now(), first.recordTime - 1))
      : this.tick();
    return this.#published;
  }

  /** The last record time that was published or reported. */
  get published(): Micros {
    return this.#published;
  }
}
