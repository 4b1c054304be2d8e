// One sender with a long queue on a ledger whose commits take seconds: one transfer after the other, or side by side.
import type { Lanes } from '../../../src/protocol/lanes.js';
import { callsOf, judged, untilLeft, wallMs } from '../measure/block.js';
import type { Figures, Summary } from '../measure/stats.js';
import { type Context, type Result, result, type Scenario, takeTurns } from '../scenario.js';
import { onStage, type Stage } from '../stage/stage.js';
import { prepare } from '../systems/all.js';
import { type System, stopAll } from '../systems/system.js';

const HOLDINGS = 20;
/** `oneByOne`: rows of the queue that goes one after the other, whose speed does not depend on how many there are. */
const SIZES = {
  smallest: { commitMs: 200, rows: 40, oneByOne: 4, leaseMs: 2_000 },
  normal: { commitMs: 2_000, rows: 200, oneByOne: 10, leaseMs: 30_000 },
  full: { commitMs: 2_000, rows: 200, oneByOne: 100, leaseMs: 30_000 },
} as const;

export const hotSender: Scenario = {
  name: 'hot-sender',
  about: `One instance, one sender with ${HOLDINGS} holdings, commits of 2 s: rows a second with LANES=holdings (ours) and with LANES=sender, from the first call to the last row done; calls to the ledger a row, and how many of them it refused. And with deduplication off, the instance killed (kill -9) with half of the rows done, another goes on.`,
  figure: 'rowsPerSecond',
  async run(context) {
    const { commitMs, rows, oneByOne, leaseMs } = SIZES[context.size];
    const kinds: Result[] = [];
    for (const kind of ['hosted', 'external'] as const) {
      const measured = async (lanes: Lanes, name: string, count: number): Promise<Record<string, Summary>> =>
        await onStage({ senders: 1, holdings: HOLDINGS, latencyMs: commitMs, lanes }, (stage) =>
          turns(context, stage, { kind, lanes, name, count }),
        );
      kinds.push(
        result(hotSender, `hot-sender-${kind}`, kind, {
          ...(await measured('holdings', 'ours', rows)),
          ...(await measured('sender', 'lanes-sender', oneByOne)),
        }),
      );
      const stage = {
        senders: 1,
        holdings: HOLDINGS,
        latencyMs: commitMs,
        lanes: 'holdings',
        dedup: false,
      } as const;
      const killed = await onStage(stage, (stage) =>
        turns(context, stage, {
          kind,
          lanes: 'holdings',
          name: 'ours',
          count: rows,
          killedWithLeaseMs: leaseMs,
        }),
      );
      kinds.push(result(hotSender, `hot-sender-${kind}-killed`, `${kind}, kill -9`, killed));
    }
    return kinds;
  },
};

interface Queue {
  readonly kind: 'hosted' | 'external';
  readonly lanes: Lanes;
  readonly name: string;
  readonly count: number;
  /** The instance is killed with half of them done, and what it held is free after its lease. */
  readonly killedWithLeaseMs?: number;
}

async function turns(context: Context, stage: Stage, queue: Queue): Promise<Record<string, Summary>> {
  const [ours] = await prepare(stage, ['ours']);
  if (ours === undefined) return {};
  const { name, kind, lanes, killedWithLeaseMs } = queue;
  return await takeTurns(
    context,
    `${kind}, ${lanes}${killedWithLeaseMs === undefined ? '' : ', kill -9'}`,
    [{ ...ours, name }],
    (system) => drain(stage, system, queue),
  );
}

async function drain(
  stage: Stage,
  system: System<string>,
  { kind, lanes, count, killedWithLeaseMs }: Queue,
): Promise<Figures> {
  const rows = stage.rows.next(kind, count);
  await system.fill(stage.client, rows);
  const mark = await stage.participant.mark();
  const env = {
    LANES: lanes,
    ...(killedWithLeaseMs === undefined ? {} : { LEASE_MS: `${killedWithLeaseMs}` }),
  };
  let children = await system.start(1, { env });
  if (killedWithLeaseMs !== undefined) {
    await untilLeft(stage, system, Math.ceil(count / 2));
    await Promise.all(children.map((child) => child.kill()));
    children = await system.start(1, { env });
  }
  await untilLeft(stage, system, 0);
  const ended = wallMs();
  await stopAll(children);
  const calls = await callsOf(stage, mark);
  const seconds = (ended - Math.min(...calls.map(({ at }) => at))) / 1_000;
  const refused = calls.filter(({ outcome }) => outcome.kind !== 'accepted').length;
  return { rowsPerSecond: count / seconds, refused, ...judged(rows, calls) };
}
