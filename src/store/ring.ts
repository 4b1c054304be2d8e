// Wakes those who listen, for what no insert tells of.
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/**
 * $1 '' is the bell, 'h' a handoff: this instance settled something and has no free slot. One rings at a time, like the
 * doorbell, with a lock of its own ($2).
 */
const RING: Statement<never> = {
  text: "select pg_notify('mempool_wakeup_v1', $1) where pg_try_advisory_xact_lock(1835363696, $2)",
};

export async function ring(database: Database, kind: 'bell' | 'handoff'): Promise<void> {
  await database.run(RING, kind === 'bell' ? ['', 1] : ['h', 2]);
}
