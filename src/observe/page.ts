// What the page is told, as JSON: where it comes from is the business of whoever starts the admin server.

import type { Advice } from '../core/advice.js';
import type { QueueCounts } from '../protocol/row-state.js';
import type { History } from './history.js';
import type { Recent } from './recent.js';

/** Worst first. `stopped`: nothing moves; `person`: somebody has to act; `watch`: it may pass. */
export type Level = 'stopped' | 'person' | 'watch' | 'fine';

export interface Problem {
  readonly level: Exclude<Level, 'fine'>;
  /** What is wrong. */
  readonly what: string;
  readonly toDo: string;
}

/** Times in ms on the database's clock. */
export interface PageRow {
  readonly txHash: string;
  readonly state: string;
  readonly sender: string;
  readonly recipient: string;
  /** Symbol and amount as a person says them; the address and the smallest units where TOKENS_FILE has no such token. */
  readonly token: string;
  readonly tokenAddress: string;
  readonly amount: string;
  readonly nonce: string;
  readonly attempts: number;
  readonly undecided: boolean;
  readonly reason: string;
  /** `commands`: what ends all rows like it; null: nothing does, or not yet. */
  readonly advice: (Pick<Advice, 'toDo' | 'runbook'> & { readonly commands: string | null }) | null;
  /** Whether a replay is worth a button. */
  readonly mayReplay: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface PageState {
  /** The database's time; null while it does not answer. */
  readonly now: number | null;
  readonly level: Level;
  readonly problems: readonly Problem[];
  /** Why the database's part is missing; null: it is there. */
  readonly away: string | null;
  readonly queue: QueueCounts | null;
  /** How old the count is, where it is older than pages ask for. */
  readonly queueAgeMs: number | null;
  /** Those waiting rows that a claim would take. */
  readonly claimable: number | null;
  /** Those that a claim would take if they were not paused. */
  readonly paused: number | null;
  /** The same for these: they are counted less often. */
  readonly dueAgeMs: number | null;
  readonly instances: readonly PageInstance[];
  readonly here: Recent & { readonly id: string; readonly ready: boolean; readonly concurrency: number };
  readonly pauses: readonly PagePause[];
  /** Whether anything can be done from the page. */
  readonly mayAct: boolean;
  readonly pins: Readonly<Record<string, unknown>> | null;
  readonly failovers: readonly object[];
}

export interface PageInstance {
  readonly name: string;
  readonly here: boolean;
  readonly version: string | null;
  /** `ready`, `not-ready`, `silent`, `dead`, `stopped`, `unregistered`. */
  readonly life: string;
  /** Why it is not ready, and what else is wrong. */
  readonly why: readonly string[];
  readonly submissions: number;
  readonly looks: number;
  /** Rows that it holds, as the database has it. */
  readonly held: number;
  /** Rows that others took back from it. */
  readonly lost: number;
  /** Rows that it completed or failed within a minute. */
  readonly endedLastMinute: number;
  readonly startedAt: number | null;
  readonly seenAt: number | null;
}

export interface PagePause {
  readonly scope: 'all' | 'token' | 'sender';
  /** `0x…`; empty for all. */
  readonly address: string;
  readonly reason: string;
  readonly by: string | null;
  readonly since: number;
}

export interface PageLists {
  readonly parked: readonly PageRow[];
  readonly failed: readonly PageRow[];
}

/** One thing that happened to a row, in words. */
export interface StoryLine {
  /** In ms since the epoch, on the database's clock. */
  readonly at: number;
  readonly what: string;
}

export type PageStory =
  | {
      readonly kind: 'row';
      readonly row: PageRow;
      readonly story: readonly StoryLine[];
      readonly next: string;
    }
  | { readonly kind: 'gone'; readonly story: readonly StoryLine[]; readonly next: string }
  | { readonly kind: 'unknown' };

/** What is paused, or goes on. */
export type PauseWhat =
  | { readonly scope: 'all' }
  | { readonly scope: 'token' | 'sender'; readonly address: string };

/** Who does it, and why: both go into the audit. */
export interface Doing {
  readonly by: string;
  readonly reason: string;
}

/** In words: what came of it, or why nothing was changed. */
export interface Done {
  readonly done: boolean;
  readonly what: string;
}

export interface PageActs {
  replay(hash: string, doing: Doing): Promise<Done>;
  pauseRows(what: PauseWhat, doing: Doing): Promise<Done>;
  resumeRows(what: PauseWhat, doing: Doing): Promise<Done>;
}

export interface PageSource {
  state(): Promise<PageState>;
  lists(): Promise<PageLists>;
  history(): Promise<History>;
  /** `hash`: `0x` and 64 hex digits in lower case. */
  story(hash: string): Promise<PageStory>;
  /** Null: nobody can be told from anybody else here (there is no ADMIN_TOKEN), so nobody may do anything. */
  readonly acts: PageActs | null;
}
