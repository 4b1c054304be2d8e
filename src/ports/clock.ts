/** Elapsed time on this machine, monotonic; never compared with another machine's (I7). */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  elapsed(): number;
}
