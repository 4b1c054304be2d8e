// Where the page of this instance gets what it shows: the database, over connections of its own, so that somebody who looks
// never keeps a claim or a renewal waiting; and this process's own events.
import type { Config } from '../../config.js';
import { blockerAdvice } from '../../core/advice.js';
import { dbMillis, type TxHash } from '../../core/ids.js';
import { STEP_MS } from '../../observe/history.js';
import { judgementOf } from '../../observe/judgement.js';
import type { PageSource, PageState, Problem } from '../../observe/page.js';
import { cached } from '../../observe/queue.js';
import { createRecent } from '../../observe/recent.js';
import { monotonic } from '../../runtime/clock.js';
import { assess } from '../../store/operator/assess.js';
import { readLostOften } from '../../store/operator/due.js';
import { createFleetReader, type FleetInstance } from '../../store/operator/fleet.js';
import {
  type Failover,
  findRow,
  readFailovers,
  readLists,
  readPins,
  type ShownPins,
} from '../../store/operator/overview.js';
import { type Pause, readPauses } from '../../store/operator/pauses.js';
import { readStory } from '../../store/operator/story.js';
import { readOutboxStatus } from '../../store/outbox-status.js';
import { openDatabase } from '../../store/pool.js';
import { type SharedQueue, sampleQueue } from '../../store/samples.js';
import type { Submitter } from '../../submitter.js';
import { told } from '../show/told.js';
import { pageActs } from './acts.js';
import { createHistory } from './history.js';
import { pageInstance, pageRow } from './shown.js';

export interface OpenPage {
  readonly source: PageSource;
  close(): Promise<void>;
}

/** Rows that a list shows. */
const LISTED = 25;
/** Planning a statement costs the database as much as what it reads here, so each is asked for no more often than it matters. */
const QUEUE_FRESH_MS = 5_000;
/** Somebody else may be counting: a count younger than this is as fresh as one asks for. */
const COUNT_OLD_MS = 2 * QUEUE_FRESH_MS;
const FLEET_FRESH_MS = 3_000;
const PAUSES_FRESH_MS = 5_000;
const DETAILS_FRESH_MS = 15_000;
const PAST_FRESH_MS = 60_000;
const FAILOVERS = 10;
/** For so long an instance that died is worth a look. */
const LATELY_MS = 3_600_000;

/** The database's part of what is shown. */
interface Found {
  readonly shared: SharedQueue | null;
  readonly instances: readonly FleetInstance[];
  readonly pins: ShownPins | null;
  readonly failovers: readonly Failover[];
  readonly pauses: readonly Pause[];
  readonly findings: readonly Problem[];
  /** Why there is none of it; null: there is. */
  readonly away: string | null;
}

function withoutDatabase(error: unknown): Found {
  const away = error instanceof Error ? error.message : String(error);
  const what = `The database does not answer: ${away}`;
  const toDo = `${blockerAdvice.database} What is shown of it here is old.`;
  return {
    shared: null,
    instances: [],
    pins: null,
    failovers: [],
    pauses: [],
    findings: [{ level: 'stopped', what, toDo }],
    away,
  };
}

/** Not the name of a file, nor a hash. */
const sentence = (text: string): string =>
  `${text.replace(/^[a-z]+(?=[ ,:]|$)/, (word) => word.charAt(0).toUpperCase() + word.slice(1))}${/[.!?]$/.test(text) ? '' : '.'}`;

const ageOf = (countedAt: number, now: number): number | null =>
  now - countedAt > COUNT_OLD_MS ? Math.round(now - countedAt) : null;

export function openPage(config: Config, submitter: Submitter): OpenPage {
  const database = openDatabase({
    url: config.database.url,
    poolSize: 2,
    applicationName: `${config.instanceId} page`,
  });
  // Without a token everybody who reaches the address could act, in nobody's name.
  const mayAct = config.admin?.token != null;
  const recent = createRecent(submitter.events$, monotonic);
  const queue = cached(() => sampleQueue(database, QUEUE_FRESH_MS), monotonic, QUEUE_FRESH_MS);
  const fleet = cached(createFleetReader(database, monotonic), monotonic, FLEET_FRESH_MS);
  const lists = cached(() => readLists(database, LISTED), monotonic, DETAILS_FRESH_MS);
  const pauses = cached(() => readPauses(database), monotonic, PAUSES_FRESH_MS);
  const details = cached(
    async () => ({ pins: await readPins(database), outcomes: await readOutboxStatus(database, LISTED) }),
    monotonic,
    DETAILS_FRESH_MS,
  );
  const past = cached(
    async () => ({
      failovers: await readFailovers(database, FAILOVERS),
      lostOften: await readLostOften(database),
    }),
    monotonic,
    PAST_FRESH_MS,
  );
  const hour = createHistory(database);
  const history = cached(async () => hour((await queue())?.now ?? 0), monotonic, STEP_MS);

  /** Whoever acts sees at once what came of it. */
  const changed = (): void => {
    lists.forget();
    pauses.forget();
  };

  const findings = async (): Promise<Found> => {
    const [shared, instances, { parked }, paused, { pins, outcomes }, { failovers, lostOften }] =
      await Promise.all([queue(), fleet(), lists(), pauses(), details(), past()]);
    const findings =
      shared === null
        ? []
        : assess({
            now: dbMillis(shared.now),
            countedAt: { queue: dbMillis(shared.at), due: dbMillis(shared.dueAt) },
            queue: shared.queue,
            due: shared.due,
            fleet: instances,
            pauses: paused,
            lostOften,
            outcomes,
            parked,
            halted: pins?.halted ?? null,
            recordedElsewhere: pins?.recordedElsewhere ?? 0,
          }).findings;
    return {
      shared,
      instances,
      pins,
      failovers,
      pauses: paused,
      away: null,
      findings: findings.map(({ state, what, todo }) => ({
        level: state === 'not-moving' ? 'stopped' : 'person',
        what: sentence(what),
        toDo: sentence(todo),
      })),
    };
  };

  const state = async (): Promise<PageState> => {
    const health = submitter.health();
    const here = recent();
    const {
      shared,
      instances,
      pins,
      failovers,
      pauses: paused,
      away,
      findings: found,
    } = await findings().catch(withoutDatabase);
    return {
      now: shared?.now ?? null,
      ...judgementOf({
        health,
        open: here.open,
        findings: found,
        dead: instances
          .filter(({ life, seenAt }) => life === 'dead' && (shared?.now ?? 0) - (seenAt ?? 0) < LATELY_MS)
          .map(({ holder, held, lostRows }) => ({ name: holder, held: held.rows, lost: lostRows })),
      }),
      away,
      queue: shared?.queue ?? null,
      queueAgeMs: shared === null ? null : ageOf(shared.at, shared.now),
      claimable: shared?.due.claimable ?? null,
      paused: shared?.due.paused ?? null,
      dueAgeMs: shared === null ? null : ageOf(shared.dueAt, shared.now),
      instances: instances.map((one) => pageInstance(one, config.holder)),
      here: { id: config.holder, ready: health.ready, concurrency: config.concurrency, ...here },
      pauses: paused.map(({ address, ...one }) => ({
        ...one,
        address: address === '' ? '' : `0x${address}`,
      })),
      mayAct,
      pins: pins === null ? null : { ...pins },
      failovers,
    };
  };

  return {
    source: {
      state,
      lists: async () => {
        const { parked, failed } = await lists();
        return {
          parked: parked.map((row) => pageRow(row, config.tokens)),
          failed: failed.map((row) => pageRow(row, config.tokens)),
        };
      },
      history,
      story: async (hash) => {
        const [row, story] = await Promise.all([
          findRow(database, hash as TxHash),
          readStory(database, hash as TxHash),
        ]);
        if (story === null) return { kind: 'unknown' };
        const { lines, next } = told(story);
        const words = {
          story: lines.map(({ at, what }) => ({ at, what: sentence(what) })),
          next: sentence(next),
        };
        return row === null
          ? { kind: 'gone', ...words }
          : { kind: 'row', row: pageRow(row, config.tokens), ...words };
      },
      acts: mayAct ? pageActs(database, config.instanceId, changed) : null,
    },
    close: () => database.close(),
  };
}
