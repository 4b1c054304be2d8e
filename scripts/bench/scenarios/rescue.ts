// kill -9 of the instance that has taken the rows, and how long they wait for another one to call the ledger.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../../src/runtime/timers.js';
import { callsOf, untilLeft, wallMs } from '../measure/block.js';
import { type Figures, quantile } from '../measure/stats.js';
import { result, type Scenario, takeTurns } from '../scenario.js';
import { commandId } from '../stage/rows.js';
import { onStage, type Stage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';
import { pgBoss } from '../systems/pg-boss.js';
import { countOf, type System, stopAll } from '../systems/system.js';

const SIZES = {
  smallest: { rows: 2, leaseMs: 2_000 },
  normal: { rows: 10, leaseMs: 30_000 },
  full: { rows: 50, leaseMs: 30_000 },
} as const;
/** The least that pg-boss takes. */
const HEARTBEAT_SECONDS = 10;
/** Longer than any rescue that is waited for. */
const STOPPED_MS = 3_600_000;
const READS_BEGIN_MS = 500;
const TAKEN_MS = 60_000;
const LOOK_MS = 20;

const TAKEN: Readonly<Record<string, string>> = {
  ours: "select count(*)::int from mempool where status = 'pending' and lease_expires_at is not null",
  'pg-boss-heartbeat': "select count(*)::int from pgboss.job where name = 'transfer' and state = 'active'",
};

export const rescue: Scenario = {
  name: 'rescue',
  about: `kill -9 of an instance that has taken rows of external senders and sent none of them, with another one idle beside it: seconds until the ledger gets the first call for a row. pg-boss is measured with its shortest heartbeat, ${HEARTBEAT_SECONDS} s; its default is read from the table of its queues (expire_seconds, and a look every minute), graphile-worker's from its statement that frees locks (sql/resetLockedAt.js, every 8 to 10 minutes).`,
  figure: 'p99Seconds',
  run: (context) =>
    onStage({ senders: 100, latencyMs: 5 }, async (stage) => {
      const { rows, leaseMs } = SIZES[context.size];
      const turns: System<string>[] = await prepare(stage, ['ours']);
      const known: Record<string, Figures> = {};
      if (context.systems.includes('pg-boss')) {
        const boss = await pgBoss(stage, { heartbeatSeconds: HEARTBEAT_SECONDS });
        turns.push({ ...boss, name: 'pg-boss-heartbeat' });
        known['pg-boss'] = { p99Seconds: await defaultExpiry(stage) };
      }
      if (context.systems.includes('graphile-worker'))
        known['graphile-worker'] = { p99Seconds: await lockedFor() };
      const measured = await takeTurns(context, 'rescue', turns, (system) =>
        killed(stage, system, rows, { LEASE_MS: `${leaseMs}` }),
      );
      const told = Object.entries(known).map(
        ([name, figures]) => [name, { ...figures, spread: {} }] as const,
      );
      return [result(rescue, 'rescue', 'kill -9', { ...measured, ...Object.fromEntries(told) })];
    }),
};

async function killed(
  stage: Stage,
  system: System<string>,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<Figures> {
  const [first] = await system.start(1, { env });
  if (first === undefined) throw new Error('no instance');
  for (const row of stage.rows.next('external', 5)) await system.insert(stage.client, row);
  await untilLeft(stage, system, 0);

  // It takes them, asks what their senders hold, and gets no answer; whoever asks after it does.
  const rows = stage.rows.next('external', count);
  for (const { from } of rows)
    await stage.participant.tell({
      on: 'StateService/GetActiveContracts',
      match: { party: from.party },
      times: 1,
      do: { kind: 'slow', ms: STOPPED_MS },
    });
  await system.fill(stage.client, rows);
  await untilTaken(stage, system.name, count);
  await sleep(READS_BEGIN_MS);

  const mark = await stage.participant.mark();
  const others = await system.start(1, { env });
  await first.kill();
  const killedAt = wallMs();
  await untilLeft(stage, system, 0);
  await stopAll(others);
  const calls = await callsOf(stage, mark);
  const waited = rows.flatMap((row) => {
    const call = calls.find((one) => one.commandId === commandId(row));
    return call === undefined ? [] : [(call.at - killedAt) / 1_000];
  });
  if (waited.length < count) throw new Error(`${system.name}: some of the rows were sent before the kill`);
  return { p50Seconds: quantile(waited, 0.5), p99Seconds: quantile(waited, 0.99) };
}

async function untilTaken(stage: Stage, system: string, count: number): Promise<void> {
  for (let waited = 0; waited < TAKEN_MS; waited += LOOK_MS) {
    if ((await countOf(stage.client, TAKEN[system] ?? '')) >= count) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`${system} did not take ${count} rows`);
}

/** What a queue gets that does not ask for its own. */
async function defaultExpiry(stage: Stage): Promise<number> {
  const { rows } = await stage.client.query<{ seconds: number }>(
    "select expire_seconds as seconds from pgboss.queue where name = 'transfer'",
  );
  return rows[0]?.seconds ?? Number.NaN;
}

/** A constant in its statement that frees locks. */
async function lockedFor(): Promise<number> {
  const index = fileURLToPath(import.meta.resolve('graphile-worker'));
  const code = readFileSync(index.replace(/index\.js$/, 'sql/resetLockedAt.js'), 'utf8');
  const [, hours] = /locked_at < .*interval '(\d+) hours'/.exec(code) ?? [];
  return Number(hours) * 3_600;
}
