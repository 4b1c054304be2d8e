// Something between us and the participant may end completion streams sooner than an idle one tells the time: then no look
// ever ends, and nothing fails. Noticed here, for people; no decision rests on it.
import type { Cuts, PathContext } from '../given/context.js';

/** A stream that ends sooner was refused, or its connection broke. */
const OPENED_MS = 1_000;
const IN_A_ROW = 3;
/** What an end without a word of the participant's is called, whoever is in between: envoy, Istio, nginx, a load balancer. */
const BARE: ReadonlySet<string> = new Set([
  'STREAM_ENDED',
  'GRPC_UNAVAILABLE',
  'GRPC_CANCELLED',
  'GRPC_DEADLINE_EXCEEDED',
  'GRPC_INTERNAL',
  'GRPC_UNKNOWN',
]);

export function createCuts({ clock, ledger }: Pick<PathContext, 'clock' | 'ledger'>): Cuts {
  let times = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  return {
    opened() {
      const since = clock.elapsed();
      let idle = true;
      return {
        toldTime() {
          idle = false;
          times = 0;
        },
        ended(failure) {
          const now = clock.elapsed();
          const lived = now - since;
          // It lived as long as its reader wanted.
          if (failure === null) times = 0;
          if (failure === null || !idle || lived < OPENED_MS) return null;
          if (!BARE.has(failure.refusal.errorId) || !ledger.ready()) return null;
          // Those that were open side by side may have ended for one reason: they count once.
          if (since >= lastAt) {
            times += 1;
            lastAt = now;
          }
          // 75 s: a participant's checkpoints are 15 s old at most, and an idle stream shows one a minute.
          return times < IN_A_ROW
            ? null
            : `something between us and the participant ends our completion stream after ${Math.round(lived / 1_000)} s: let streams live longer than 75 s`;
        },
      };
    },
  };
}
