// One process, a ledger as slow as a real one, and more and more of its calls open at a time.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { untilLeft } from '../measure/block.js';
import { hasCpu, peakMemory } from '../measure/cpu.js';
import type { Figures } from '../measure/stats.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { workerFile } from '../stage/processes.js';
import { onStage, type Stage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';
import { type System, stopAll } from '../systems/system.js';

const SIZES = {
  smallest: { commitMs: 200, inFlight: [10] },
  normal: { commitMs: 3_000, inFlight: [10, 100, 500] },
  full: { commitMs: 10_000, inFlight: [10, 100, 500, 1_000, 2_000] },
} as const;
/** So many times as many rows as there are slots. */
const FILLS = 3;
/** As deploy/Dockerfile and the systemd unit have it. */
const YOUNG_GENERATION = '--max-semi-space-size=16';

export const slowLedger: Scenario = {
  name: 'slow-ledger',
  about:
    'One instance on a ledger whose commits take seconds, with more and more of them in flight: rows a second, beside what that many slots can give at most (ideal), its greatest memory in MiB, and how late its event loop was in milliseconds, 99 times of 100. Node runs as in our image (--max-semi-space-size=16).',
  figure: 'rowsPerSecond',
  async run(context) {
    const { commitMs, inFlight } = SIZES[context.size];
    const folder = await mkdtemp(path.join(tmpdir(), 'canton-submitter-bench-'));
    try {
      return await onStage({ senders: Math.max(...inFlight), latencyMs: commitMs }, async (stage) => {
        const systems = await prepare(stage, ['ours']);
        const results: Result[] = [];
        for (const count of inFlight) {
          const title = `${count} in flight`;
          const summaries = await takeTurns(context, title, systems, (system) =>
            drain(stage, system, { count, file: path.join(folder, 'probe.json') }),
          );
          const ideal = (count * 1_000) / commitMs;
          const measured = result(slowLedger, `slow-ledger-${count}`, title, {
            ...summaries,
            ideal: { rowsPerSecond: ideal, spread: {} },
          });
          results.push(measured);
        }
        return results;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Drain {
  readonly count: number;
  /** Where the probe writes. */
  readonly file: string;
}

async function drain(stage: Stage, system: System, { count, file }: Drain): Promise<Figures> {
  const rows = stage.rows.next('hosted', count * FILLS);
  await system.fill(stage.client, rows);
  await stage.client.query('vacuum analyze');
  const children = await system.start(1, {
    env: { CONCURRENCY: `${count}`, BENCH_PROBE_FILE: file },
    node: [YOUNG_GENERATION, '--import', workerFile('probe')],
  });
  // From when the first fill of the slots is through to when the last begins: the first start and the last end are its own.
  await untilLeft(stage, system, rows.length - count / 2);
  const since = performance.now();
  await untilLeft(stage, system, rows.length - (count * 3) / 2);
  const seconds = (performance.now() - since) / 1_000;
  await untilLeft(stage, system, 0);
  const late = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { loopDelayP99: number }) : {};
  const memory = hasCpu ? { memoryMib: peakMemory(children[0]?.pid ?? 0) } : {};
  await stopAll(children);
  return { rowsPerSecond: count / seconds, ...memory, ...late };
}
