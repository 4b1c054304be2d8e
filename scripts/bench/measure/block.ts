// One system's turn: rows that wait, or rows that arrive, from the first to the last, and what they cost. The sandbox's
// audit log is the judge of what came of them.
import { randomInt } from 'node:crypto';
import { sleep } from '../../../src/runtime/timers.js';
import { type BenchRow, commandId, type Kind } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';
import { type System, stopAll } from '../systems/system.js';
import { countedSince, readCounters } from './counters.js';
import { hasCpu, postgresMs, processMs } from './cpu.js';
import { type Figures, quantile } from './stats.js';

export interface BlockOptions {
  readonly kind: Kind;
  readonly rows: number;
  readonly instances: number;
  /** Flags of Node itself for the measured processes. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What goes first, unmeasured, since processes that have just started are slow: so much of a backlog, so many a process. */
const WARM_UP_SHARE = 0.2;
const WARM_UP_ROWS = 400;
const LOOK_MS = 25;
/** Without a row done for so long, a block has failed. */
const STUCK_MS = 120_000;

/** Rows wait, then the processes start: rows a second and what one costs, from a moment when they are warm. */
export async function backlog(stage: Stage, system: System, options: BlockOptions): Promise<Figures> {
  const rows = stage.rows.next(options.kind, options.rows);
  await system.fill(stage.client, rows);
  await stage.client.query('vacuum analyze');
  await stage.client.query('checkpoint');
  const mark = await stage.participant.mark();
  const counters = await readCounters(stage.client);
  const children = await system.start(options.instances, options);
  const pids = children.map(({ pid }) => pid);
  const measured = await untilLeft(stage, system, Math.ceil(rows.length * (1 - WARM_UP_SHARE)));
  const before = await cpu(stage, pids);
  const since = performance.now();
  await untilLeft(stage, system, 0);
  const seconds = (performance.now() - since) / 1_000;
  const spent = await cpuSince(stage, pids, before, measured);
  await stopAll(children);
  return {
    rowsPerSecond: measured / seconds,
    ...spent,
    ...(await countedSince(stage.client, counters, rows.length)),
    ...judged(rows, await callsOf(stage, mark)),
  };
}

/** Rows arrive at random moments, on average so many a second, whatever becomes of those before. */
export async function arriving(
  stage: Stage,
  system: System,
  options: BlockOptions & { readonly rate: number },
): Promise<Figures> {
  await stage.client.query('vacuum analyze');
  await stage.client.query('checkpoint');
  const mark = await stage.participant.mark();
  const counters = await readCounters(stage.client);
  const children = await system.start(options.instances, options);
  const pids = children.map(({ pid }) => pid);
  const warmUp = stage.rows.next(options.kind, Math.min(options.rows, WARM_UP_ROWS * options.instances));
  await insertAtRandom(stage, system, warmUp, options.rate);
  await untilLeft(stage, system, 0);
  const rows = stage.rows.next(options.kind, options.rows);
  const before = await cpu(stage, pids);
  const committed = await insertAtRandom(stage, system, rows, options.rate);
  await untilLeft(stage, system, 0);
  const spent = await cpuSince(stage, pids, before, rows.length);
  await stopAll(children);
  const calls = await callsOf(stage, mark);
  const all = [...warmUp, ...rows];
  return {
    ...latencies(committed, calls),
    ...spent,
    ...(await countedSince(stage.client, counters, all.length)),
    ...judged(all, calls),
  };
}

/** One row after the other into processes that have nothing else to do. */
export async function oneByOne(
  stage: Stage,
  system: System,
  rows: readonly BenchRow[],
  everyMs: number,
): Promise<Map<string, number>> {
  const committed = new Map<string, number>();
  for (const row of rows) {
    await system.insert(stage.client, row);
    committed.set(commandId(row), wallMs());
    // Not in step with anybody's poll.
    await sleep(randomInt(everyMs, 2 * everyMs));
  }
  await untilLeft(stage, system, 0);
  return committed;
}

async function insertAtRandom(
  stage: Stage,
  system: System,
  rows: readonly BenchRow[],
  rate: number,
): Promise<Map<string, number>> {
  const committed = new Map<string, number>();
  const inserts: Promise<void>[] = [];
  let due = performance.now();
  for (const row of rows) {
    due += (-Math.log(1 - Math.random()) * 1_000) / rate;
    await sleep(Math.max(0, due - performance.now()));
    inserts.push(
      (async () => {
        await system.insert(stage.inserters, row);
        committed.set(commandId(row), wallMs());
      })(),
    );
  }
  await Promise.all(inserts);
  return committed;
}

/** How many were left when it was at most that many. */
export async function untilLeft(stage: Stage, system: System<string>, atMost: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let movedAt = performance.now();
  for (;;) {
    const left = await system.left(stage.client);
    if (left <= atMost) return left;
    if (left < least) [least, movedAt] = [left, performance.now()];
    if (performance.now() - movedAt > STUCK_MS)
      throw new Error(`${system.name}: ${left} rows are left, and none was done for ${STUCK_MS / 1_000} s`);
    await sleep(LOOK_MS);
  }
}

type Calls = Awaited<ReturnType<Stage['participant']['calls']>>;
export const callsOf = (stage: Stage, mark: number): Promise<Calls> => stage.participant.calls(mark);

/** From the commit of the insert, as the inserter hears of it, to the arrival of the row's first submission. */
export function latencies(committed: ReadonlyMap<string, number>, calls: Calls): Figures {
  const first = new Map<string, number>();
  for (const { commandId: id, at } of calls) if (!first.has(id)) first.set(id, at);
  const times = [...committed].flatMap(([id, at]) => {
    const called = first.get(id);
    return called === undefined ? [] : [called - at];
  });
  return { p50: quantile(times, 0.5), p90: quantile(times, 0.9), p99: quantile(times, 0.99) };
}

/** What the ledger saw of these rows. */
export function judged(rows: readonly BenchRow[], calls: Calls): Figures {
  const accepted = new Map(rows.map((row) => [commandId(row), 0]));
  let sent = 0;
  for (const { commandId: id, outcome } of calls) {
    const times = accepted.get(id);
    if (times === undefined) continue;
    sent += 1;
    if (outcome.kind === 'accepted') accepted.set(id, times + 1);
  }
  const times = [...accepted.values()];
  return {
    callsPerRow: sent / rows.length,
    lost: times.filter((count) => count === 0).length,
    doubled: times.filter((count) => count > 1).length,
  };
}

interface Cpu {
  readonly submitter: number;
  readonly sandbox: number;
  readonly postgres: number | null;
}

async function cpu({ sandboxPid, postmasterPid, client }: Stage, pids: readonly number[]): Promise<Cpu> {
  // The inserters' backends are the application's, not the systems'.
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'bench'",
  );
  const own = rows.map(({ pid }) => pid);
  return {
    submitter: processMs(pids),
    sandbox: processMs([sandboxPid]),
    postgres: postmasterPid === null ? null : postgresMs(postmasterPid, own),
  };
}

async function cpuSince(stage: Stage, pids: readonly number[], before: Cpu, rows: number): Promise<Figures> {
  if (!hasCpu) return {};
  const after = await cpu(stage, pids);
  return {
    submitterMs: (after.submitter - before.submitter) / rows,
    sandboxMs: (after.sandbox - before.sandbox) / rows,
    ...(after.postgres === null || before.postgres === null
      ? {}
      : { postgresMs: (after.postgres - before.postgres) / rows }),
  };
}

/** Like the sandbox's, so that the two can be compared. */
export const wallMs = (): number => performance.timeOrigin + performance.now();
