// `npm run bench -- NAME`: ratios against the plainest code in the same run, since machines are noisy.
import { claimFlat } from './claim-flat.js';
import { inspect } from './inspect.js';
import { latencyIdle } from './latency-idle.js';
import { migrateLive } from './migrate-live.js';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  'latency-idle': latencyIdle,
  'claim-flat': claimFlat,
  'migrate-live': migrateLive,
  inspect,
};
const name = process.argv[2] ?? '';
const bench = benches[name];
if (bench === undefined) {
  console.error(`which one? ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
await bench();
process.exit(0);
