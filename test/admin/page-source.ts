import { historyOf } from '../../src/observe/history.js';
import type { PageSource, PageState } from '../../src/observe/page.js';

const none = { rows: 0, oldestMs: null };

export const pageState = (more: Partial<PageState> = {}): PageState => ({
  now: 1_000,
  level: 'fine',
  problems: [],
  away: null,
  queue: { waiting: none, 'in-flight': none, undecided: none, backoff: none, parked: none },
  queueAgeMs: null,
  claimable: 0,
  paused: 0,
  dueAgeMs: null,
  instances: [],
  here: {
    id: 'one',
    ready: true,
    concurrency: 1,
    listener: 'connected',
    open: [],
    limit: null,
    happenings: [],
  },
  pauses: [],
  mayAct: false,
  pins: null,
  failovers: [],
  ...more,
});

export const pageSource = (more: Partial<PageSource> = {}): PageSource => ({
  state: async () => pageState(),
  lists: async () => ({ parked: [], failed: [] }),
  history: async () => historyOf([], [], 0),
  story: async () => ({ kind: 'unknown' }),
  acts: null,
  ...more,
});
