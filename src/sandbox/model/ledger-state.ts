// The participant's published state. It changes only through facts, each of which can be journalled and replayed.
import type { PublicKey } from '../keys.js';
import { Conditions } from './conditions.js';
import { ContractStore } from './contract-store.js';
import { DedupStore } from './dedup.js';
import { changeId, type Entry, type ExternalCompletion, type UpdateRecord } from './records.js';
import type { Registered } from './submission.js';

/** Something that has happened; a journal of these is the whole ledger. */
export type Fact =
  /** External if it has a key. */
  | { readonly kind: 'party'; readonly party: string; readonly key?: PublicKey }
  /** The completion of that flight, if one is named. */
  | { readonly kind: 'entry'; readonly entry: Entry; readonly flightId?: number }
  | { readonly kind: 'registered'; readonly registered: Registered }
  | { readonly kind: 'pruned'; readonly offset: number; readonly dedup: boolean }
  | { readonly kind: 'restored'; readonly offset: number };

export class LedgerState {
  readonly contracts = new ContractStore();
  readonly dedup = new DedupStore();
  /** Each with the ledger end at its allocation, so that going back in time forgets it. */
  readonly #parties = new Map<string, { readonly since: number; readonly key: PublicKey | undefined }>();
  readonly #log: Entry[] = [];
  readonly #updates = new Map<string, Entry>();
  readonly #byHash = new Map<string, Entry[]>();
  /** The UUIDs of sequenced transactions that were prepared externally. */
  readonly #uuids = new Set<string>();
  /** In flight when the journal ended; whoever continues from it has to finish them. */
  readonly interrupted = new Map<number, Registered>();
  /** Contracts have moved between synchronizers, so it is connected to another one too. */
  reassigns = false;
  /** Nothing at or below this offset can be read any more. */
  prunedUpTo = 0;

  /** The surroundings, which going back in time does not change. */
  constructor(readonly conditions = new Conditions()) {}

  get end(): number {
    return this.#log.at(-1)?.offset ?? 0;
  }

  get lastRecordTime(): number {
    return this.#log.at(-1)?.recordTime ?? 0;
  }

  hasParty(party: string): boolean {
    return this.#parties.has(party);
  }

  parties(): string[] {
    return [...this.#parties.keys()];
  }

  addParty(party: string, key?: PublicKey, since = this.end): void {
    this.#parties.set(party, { since, key });
  }

  /** External: nobody else can sign for it, and no participant submits for it. */
  keyOf(party: string): PublicKey | undefined {
    return this.#parties.get(party)?.key;
  }

  append(entry: Entry): void {
    if (entry.offset <= this.end) throw new Error(`offset ${entry.offset} is not after ${this.end}`);
    this.#log.push(entry);
    const { update, completion, moves = [] } = entry;
    this.reassigns ||= moves.length > 0;
    for (const { contractId, place } of moves) {
      this.contracts.get(contractId)?.places.push({ since: entry.offset, place });
    }
    if (update) this.#applyUpdate(update, entry.offset);
    if (update) this.#updates.set(update.updateId, entry);
    if (completion?.external) this.#remember(completion.external, entry);
    if (completion?.result.accepted) {
      this.dedup.accepted(changeId(completion), {
        offset: entry.offset,
        publishedAt: entry.publishedAt,
        submissionId: completion.submissionId,
      });
    }
  }

  #remember({ hash, uuid, sequenced }: ExternalCompletion, entry: Entry): void {
    if (sequenced) this.#uuids.add(uuid);
    this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), entry]);
  }

  hasUuid(uuid: string): boolean {
    return this.#uuids.has(uuid);
  }

  /** Completions of a transaction that was prepared externally, by its hash in hex, the oldest first. */
  completedWith(hash: string): readonly Entry[] {
    return this.#byHash.get(hash) ?? [];
  }

  #applyUpdate(update: UpdateRecord, offset: number): void {
    for (const node of update.nodes) {
      if (node.kind === 'archive') this.contracts.archive(node.contractId, offset);
      if (node.kind !== 'create') continue;
      this.contracts.add({
        id: node.contractId,
        payload: node.payload,
        createdOffset: offset,
        nodeId: node.nodeId,
        createdAt: update.effectiveAt,
        archivedOffset: 0,
        places: [],
      });
    }
  }

  /**
   * Real pruning keeps the deduplication data of the newest window. `dedup` drops that too, to produce a window that
   * reaches back past pruned data.
   */
  prune(offset: number, dedup: boolean): void {
    this.prunedUpTo = Math.max(this.prunedUpTo, offset);
    const last = this.#log[this.#indexAfter(offset) - 1];
    if (dedup && last) this.dedup.prune(last.offset, last.publishedAt);
  }

  updateById(updateId: string): Entry | undefined {
    return this.#updates.get(updateId);
  }

  entryAt(offset: number): Entry | undefined {
    const entry = this.#log[this.#indexAfter(offset) - 1];
    return entry?.offset === offset ? entry : undefined;
  }

  /** The first entry after the offset. */
  next(offset: number): Entry | undefined {
    return this.#log[this.#indexAfter(offset)];
  }

  /** The last offset published before this time on the participant's clock. */
  offsetBefore(publishedAt: number): number {
    let offset = 0;
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#log[middle];
      if (entry && entry.publishedAt < publishedAt) {
        offset = entry.offset;
        low = middle + 1;
      } else high = middle;
    }
    return offset;
  }

  /** An independent state, as it was when the ledger ended there. */
  asOf(offset: number): LedgerState {
    const earlier = new LedgerState(this.conditions);
    for (const [party, { since, key }] of this.#parties)
      if (since <= offset) earlier.addParty(party, key, since);
    for (const entry of this.#log) if (entry.offset <= offset) earlier.append(entry);
    earlier.prunedUpTo = Math.min(this.prunedUpTo, offset);
    earlier.dedup.pruneLike(this.dedup);
    return earlier;
  }

  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle]?.offset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
