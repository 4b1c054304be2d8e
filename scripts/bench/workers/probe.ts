// Loaded into a measured process: how late its event loop is, written down every second.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env.BENCH_PROBE_FILE ?? '';
const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
// Its start is not what is asked for.
setTimeout(() => delay.reset(), 2_000).unref();
setInterval(() => {
  // The histogram counts its own timer's interval too.
  const loopDelayP99 = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS);
  writeFileSync(file, JSON.stringify({ loopDelayP99 }));
}, 1_000).unref();
