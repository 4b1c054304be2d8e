import type { Stage } from '../stage/stage.js';
import { graphileWorker } from './graphile-worker.js';
import { ours } from './ours.js';
import { pgBoss } from './pg-boss.js';
import { floor, poller } from './plain.js';
import type { System, SystemName } from './system.js';

const PREPARE: Readonly<Record<SystemName, (stage: Stage) => System | Promise<System>>> = {
  ours,
  floor,
  'graphile-worker': graphileWorker,
  'pg-boss': pgBoss,
  poller,
};

export const SYSTEMS = Object.keys(PREPARE) as SystemName[];

/** With their tables, in this order. */
export async function prepare(stage: Stage, names: readonly SystemName[]): Promise<System[]> {
  const systems: System[] = [];
  for (const name of names) systems.push(await PREPARE[name](stage));
  return systems;
}
