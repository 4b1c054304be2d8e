// How long a submission takes, and where: first on its way to the sequencer, then until its verdict.
import type { Random } from './random.js';

export interface Travel {
  /** From arrival to sequencing: the part in which a submission is not ordered yet. */
  readonly sequenceMs: number;
  /**
   * From sequencing to verdict: the part in which its inputs are locked and it holds back whatever was sequenced
   * later.
   */
  readonly verdictMs: number;
}

export type Latency = () => Travel;

/**
 * Milliseconds from submission to answer, not scaled. However long that is, it is sequenced early enough for the
 * tolerance.
 */
export function fixedLatency(ms: number, toleranceMs: number): Latency {
  const sequenceMs = Math.min(ms / 2, toleranceMs / 4);
  const travel = { sequenceMs, verdictMs: ms - sequenceMs };
  return () => travel;
}

const MEDIAN_MS = 8_000;
const SPREAD = 0.3;
const SHORTEST_MS = 5_000;
const LONGEST_MS = 15_000;
const VERDICT_MS = 4_000;

/**
 * Like a real synchronizer: 5 to 15 s, 8 on average. The verdict takes the same time for all, because verdicts come
 * in record-time order and a slow one would hold up everything behind it.
 */
export function realisticLatency(timeScale: number, random: Random): Latency {
  return () => {
    const drawn = MEDIAN_MS * Math.exp(SPREAD * random.normal());
    const total = Math.min(Math.max(drawn, SHORTEST_MS), LONGEST_MS);
    return { sequenceMs: (total - VERDICT_MS) * timeScale, verdictMs: VERDICT_MS * timeScale };
  };
}
