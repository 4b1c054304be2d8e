// Seeded randomness, so that a run can be repeated: numbers for latencies and faults, and the ledger's ids.
import { createHash } from 'node:crypto';

export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** Mean 0, deviation 1. */
  normal(): number;
}

/** mulberry32: 32 bits of state are plenty for latencies. */
export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** 64 hex digits, never the same twice within one `origin`; a ledger that goes back in time gets a new origin. */
export function createIds(origin: string): () => string {
  const prefix = sha256Hex(origin).slice(0, 48);
  let counter = 0;
  return () => prefix + (counter++).toString(16).padStart(16, '0');
}
