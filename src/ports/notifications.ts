/** `other`: the sign of life of another instance on the same database. */
export type NotificationSource = 'bell' | 'handoff' | 'connected' | 'other';

/** LISTEN, kept alive. Payloads are hints (I8). */
export interface Notifications {
  start(onNotification: (source: NotificationSource) => void): Promise<void>;
  stop(): Promise<void>;
  /** Proven by the canary within the last interval. */
  proven(): boolean;
}
