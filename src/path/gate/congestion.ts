/**
 * How much this process may have in flight, pure: it grows by addition with what is served, and is halved by a refusal for
 * overload. So it settles at the participant's own limit, whoever else submits to it.
 */
export interface Congestion {
  /** Between 1 and `ceiling`; its whole part counts. */
  readonly limit: number;
  readonly ceiling: number;
  /** Elapsed ms of the last cut. A refusal of what began before it is about what was in flight then, and does not cut again. */
  readonly cutAt: number;
}

export const uncongested = (ceiling: number): Congestion => ({
  limit: ceiling,
  ceiling,
  cutAt: Number.NEGATIVE_INFINITY,
});

/** One more for each time that everything in flight has been served once. */
export const onTaken = (state: Congestion): Congestion =>
  state.limit >= state.ceiling
    ? state
    : { ...state, limit: Math.min(state.ceiling, state.limit + 1 / state.limit) };

/** `beganAt`: elapsed ms, before the refused request began. At most one cut per round trip. */
export const onOverload = (state: Congestion, beganAt: number, now: number): Congestion =>
  beganAt <= state.cutAt ? state : { ...state, limit: Math.max(1, state.limit / 2), cutAt: now };

/** Even one at a time is too much: shrinking does not help any more. */
export const isExhausted = (state: Congestion, beganAt: number): boolean =>
  beganAt > state.cutAt && state.limit < 2;

export const roomFor = (state: Congestion, inFlight: number): number =>
  Math.max(0, Math.floor(state.limit) - inFlight);
