// What a look before signing costs: one inspection of a transfer with two inputs and change, and of one with fifty.
// Beside it our hash alone, and the official package's decoding and hashing, which was the way before.
import { decodePreparedTransaction, hashPreparedTransaction } from '@canton-network/core-tx-visualizer';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { preparedHash } from '../../src/transfer/prepared-hash.js';
import { archive, messageOf, ownScenario, seal } from '../../test/transfer/prepared.js';
import { ALICE, ownHolding, UNIT } from '../../test/transfer/prepared-contracts.js';

const ROUNDS = 1_000;
const WARM_UP = 100;

export async function inspect(): Promise<void> {
  for (const inputs of [2, 50]) {
    const scenario = inputs === 2 ? ownScenario() : withInputs(inputs);
    const prepared = await seal(messageOf(scenario));
    const base64 = Buffer.from(prepared.transaction).toString('base64');
    const [looked = 0, ours = 0, plain = 0] = await medians(
      async () => {
        const seen = inspectPrepared(prepared, scenario.expected);
        if (seen.kind !== 'ok') throw new Error(seen.reason);
      },
      async () => preparedHash(prepared.transaction, 2),
      () => hashPreparedTransaction(decodePreparedTransaction(base64), 'hex'),
    );
    const kib = (prepared.transaction.length / 1024).toFixed(1);
    console.log(
      `${inputs} inputs, ${kib} KiB: ${looked.toFixed(2)} ms an inspection, ${ours.toFixed(2)} ms of it decoding and hashing; the official package takes ${plain.toFixed(2)} ms for that (median of ${ROUNDS})`,
    );
  }
}

/** In turns, so that whatever else the machine does meets both. */
async function medians(...runs: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const times: number[][] = runs.map(() => []);
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    for (const [index, run] of runs.entries()) {
      const since = performance.now();
      await run();
      if (round >= WARM_UP) times[index]?.push(performance.now() - since);
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[ROUNDS / 2] ?? 0);
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
