/**
 * How much this process may have in flight, pure: additive up with what is served, halved by what is refused for
 * overload. So a participant's own limit is settled at by trying, whoever else submits to it.
 */
export interface Congestion {
  /** Between 1 and `ceiling`; its whole part counts. */
  readonly limit: number;
  readonly ceiling: number;
  /** Elapsed ms of the last cut. What began before it speaks of what was in flight then, and cuts no more. */
  readonly cutAt: number;
}

export const uncongested = (ceiling: number): Congestion => ({
  limit: ceiling,
  ceiling,
  cutAt: Number.NEGATIVE_INFINITY,
});

/** One more for each round of what is in flight. */
export const onTaken = (state: Congestion): Congestion =>
  state.limit >= state.ceiling
    ? state
    : { ...state, limit: Math.min(state.ceiling, state.limit + 1 / state.limit) };

/** `beganAt`: elapsed ms, before what was refused was begun. At most one cut a round trip. */
export const onOverload = (state: Congestion, beganAt: number, now: number): Congestion =>
  beganAt <= state.cutAt ? state : { ...state, limit: Math.max(1, state.limit / 2), cutAt: now };

/** Even one at a time is too much: shrinking helps no more. */
export const isExhausted = (state: Congestion, beganAt: number): boolean =>
  beganAt > state.cutAt && state.limit < 2;

export const roomFor = (state: Congestion, inFlight: number): number =>
  Math.max(0, Math.floor(state.limit) - inFlight);
