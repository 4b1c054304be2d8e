/**
 * `other`: another instance on the same database is alive. `awake-before`, `awake-after`: it also answers bells, and its
 * name comes before, or after, this one's.
 */
export type NotificationSource = 'bell' | 'handoff' | 'connected' | 'other' | 'awake-before' | 'awake-after';

/** LISTEN, kept alive. Payloads are hints (I8). */
export interface Notifications {
  start(onNotification: (source: NotificationSource) => void): Promise<void>;
  stop(): Promise<void>;
  /** Tells the others that this instance answers bells. A hint: whether they hear it changes latency alone. */
  awake(): void;
  /** Proven by the canary within the last interval. */
  proven(): boolean;
}
