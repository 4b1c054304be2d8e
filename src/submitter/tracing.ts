// What TRACES=on adds to an instance. Off, nothing subscribes to make spans, and nothing is read for them.
import type { Observable } from 'rxjs';
import { ConfigError } from '../core/errors.js';
import type { SubmitterEvent } from '../observe/events.js';
import type { Traces } from '../observe/traces.js';
import type { Store } from '../ports/store.js';
import { monotonic } from '../runtime/clock.js';
import { sleep } from '../runtime/timers.js';
import { packageVersion } from '../runtime/version.js';
import type { Database } from '../store/pool.js';
import { withTraceparents } from '../store/traceparents.js';

export interface Tracing {
  /** The same store; it learns from the database in which trace a row was inserted. */
  over(store: Store, database: Database): Store;
  /** For the metadata of a call. */
  header(id: string): string | null;
  start(): Promise<void>;
  /** An exporter that does not answer must not keep the process. */
  stop(): Promise<void>;
}

const FLUSH_MS = 2_000;

const OFF: Tracing = {
  over: (store) => store,
  header: () => null,
  start: async () => {},
  stop: async () => {},
};

export function createTracing(
  on: boolean,
  events$: Observable<SubmitterEvent>,
  emit: (event: SubmitterEvent) => void,
): Tracing {
  if (!on) return OFF;
  let traces: Traces | null = null;
  return {
    over: (store, database) => withTraceparents(store, database, (parents) => traces?.inserted(parents)),
    header: (id) => traces?.header(id) ?? null,
    async start() {
      const { createTraces } = await import('../observe/traces.js').catch(notInstalled);
      traces = createTraces(events$, monotonic, packageVersion());
      if (!traces.recorded) emit({ kind: 'warning', what: NO_SDK });
    },
    async stop() {
      const flushed = traces
        ?.flush()
        .catch((error: unknown) => emit({ kind: 'fault', where: 'traces', error }));
      await Promise.race([flushed, sleep(FLUSH_MS)]);
    },
  };
}

const NO_SDK =
  'TRACES is on, but no OpenTelemetry SDK was started before us, so nothing is traced: start with NODE_OPTIONS="--import …", as docs/traces.md has it';

function notInstalled(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
    throw new ConfigError([
      'TRACES=on needs OpenTelemetry: npm install @opentelemetry/api @opentelemetry/sdk-node, and see docs/traces.md',
    ]);
  throw error;
}
