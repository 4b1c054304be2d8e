// What is compared: anything that gets rows from a table of the same Postgres onto the same sandbox.
import type pg from 'pg';
import { type Child, type Program, start } from '../stage/processes.js';
import type { BenchRow } from '../stage/rows.js';
import type { Stage } from '../stage/stage.js';

export type SystemName = 'ours' | 'floor' | 'graphile-worker' | 'pg-boss' | 'poller';

export type Queryable = Pick<pg.ClientBase, 'query'>;

export interface System<Name extends string = SystemName> {
  readonly name: Name;
  /** One row in a statement that commits, as an application does it. */
  insert(client: Queryable, row: BenchRow): Promise<void>;
  /** Many at once, in the way that the system recommends. */
  fill(client: Queryable, rows: readonly BenchRow[]): Promise<void>;
  /** Rows that are not done yet. */
  left(client: Queryable): Promise<number>;
  /** Resolves when all of them work. */
  start(instances: number, how?: How): Promise<readonly Child[]>;
}

export interface How {
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node itself. */
  readonly node?: readonly string[];
}

/** Rows in flight a process, the same for all. */
export const CONCURRENCY = 64;

export const startMany = (
  count: number,
  program: (index: number) => Program,
  said: readonly string[],
): Promise<Child[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const [child] = await start(program(index), said);
      return child;
    }),
  );

/** A file of `workers/`, so many times. */
export const startWorkers = (stage: Stage, worker: string, count: number, how: How = {}): Promise<Child[]> =>
  startMany(
    count,
    () => ({
      args: { worker },
      env: { ...stage.env, BENCH_CONCURRENCY: `${CONCURRENCY}`, ...how.env },
      node: how.node ?? [],
    }),
    ['ready'],
  );

export async function countOf(client: Queryable, sql: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(sql);
  return rows[0]?.count ?? 0;
}

export async function stopAll(children: readonly Child[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop()));
}
