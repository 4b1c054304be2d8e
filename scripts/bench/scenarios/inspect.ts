// What a look before signing costs: one inspection of a transfer with two inputs and change, and of one with fifty.
// Beside it our hash alone, and the official package's decoding and hashing, which was the way before.
import { decodePreparedTransaction, hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import { inspectPrepared } from '../../../src/transfer/inspect.js';
import { preparedHash } from '../../../src/transfer/prepared-hash.js';
import { archive, messageOf, ownScenario, seal } from '../../../test/transfer/prepared.js';
import { ALICE, ownHolding, UNIT } from '../../../test/transfer/prepared-contracts.js';
import { median } from '../measure/stats.js';
import { type Result, result, type Scenario, takeTurns } from '../scenario.js';

const SIZES = { smallest: 20, normal: 500, full: 2_000 } as const;
const WARM_UP = 100;

export const inspect: Scenario = {
  name: 'inspect',
  about:
    'Milliseconds that a look at one prepared transfer takes before it is signed, the hash of it alone, and what the official package takes to decode and hash it.',
  figure: 'ms',
  async run(context) {
    const times = SIZES[context.size];
    const results: Result[] = [];
    for (const inputs of [2, 50]) {
      const scenario = inputs === 2 ? ownScenario() : withInputs(inputs);
      const prepared = await seal(messageOf(scenario));
      const base64 = Buffer.from(prepared.transaction).toString('base64');
      const turns = [
        {
          name: 'ours',
          run: async () => {
            const seen = inspectPrepared(prepared, scenario.expected);
            if (seen.kind !== 'ok') throw new Error(seen.reason);
          },
        },
        { name: 'hash-alone', run: async () => preparedHash(prepared.transaction, 2) },
        {
          name: 'official-hash',
          run: () => hashPreparedTransaction(decodePreparedTransaction(base64), 'hex'),
        },
      ];
      const title = `${inputs} inputs`;
      const summaries = await takeTurns(context, title, turns, ({ run }) => timed(run, times));
      results.push(result(inspect, `inspect-${inputs}`, title, summaries));
    }
    return results;
  },
};

async function timed(run: () => Promise<unknown>, times: number): Promise<{ ms: number }> {
  for (let n = 0; n < WARM_UP; n++) await run();
  const taken: number[] = [];
  for (let n = 0; n < times; n++) {
    const since = performance.now();
    await run();
    taken.push(performance.now() - since);
  }
  return { ms: median(taken) };
}

function withInputs(count: number): ReturnType<typeof ownScenario> {
  const scenario = ownScenario();
  const ids = Array.from({ length: count }, (_, index) => `00c1${index.toString(16).padStart(4, '0')}`);
  const inputs = ids.map((id) => ownHolding(id, ALICE, (7n * UNIT) / BigInt(count)));
  const { expected, steps } = scenario;
  return {
    ...scenario,
    expected: { ...expected, terms: { ...expected.terms, holdings: ids } },
    inputs,
    steps: [
      ...inputs.flatMap((input) => [{ fetch: input }, archive(input, [expected.issuerParty])]),
      ...steps.filter((step) => 'create' in step),
    ],
  };
}
