// What all viewers of this instance see, asked for once however many they are, and only while somebody looks.
import { PassThrough, type Readable } from 'node:stream';
import { every } from '../../runtime/timers.js';
import { toJson } from '../json.js';

export type Topic = 'state' | 'lists' | 'history';
export type LiveSource = Readonly<Record<Topic, () => Promise<object>>>;

export interface Live {
  /** A stream of server-sent events; null: too many are looking. */
  view(): Readable | null;
  stop(): Promise<void>;
}

const TOPICS: readonly Topic[] = ['state', 'lists', 'history'];
const MOST_VIEWERS = 50;
/** A viewer who does not read is let go; his browser connects again. */
const MOST_UNREAD_BYTES = 1024 * 1024;

export function createLive(source: LiveSource, everyMs = 2_000): Live {
  const viewers = new Set<PassThrough>();
  /** What was last sent of each topic: for whoever comes, and so that nothing is sent twice. */
  const last = new Map<Topic, string>();
  let refreshing: { stop(): Promise<void> } | null = null;

  const send = (viewer: PassThrough, text: string): void => {
    if (viewer.writableLength > MOST_UNREAD_BYTES) viewer.destroy();
    else viewer.write(text);
  };
  const refresh = async (topic: Topic): Promise<void> => {
    const text = await source[topic]().then(
      (value) => `event: ${topic}\ndata: ${toJson(value)}\n\n`,
      // The state says why the database does not answer.
      () => null,
    );
    if (text === null || text === last.get(topic)) return;
    last.set(topic, text);
    for (const viewer of viewers) send(viewer, text);
  };
  const refreshAll = async (): Promise<void> => {
    await Promise.all(TOPICS.map(refresh));
  };
  const leave = (viewer: PassThrough): void => {
    viewers.delete(viewer);
    if (viewers.size > 0) return;
    void refreshing?.stop();
    refreshing = null;
    last.clear();
  };

  return {
    view() {
      if (viewers.size >= MOST_VIEWERS) return null;
      const viewer = new PassThrough();
      viewer.on('close', () => leave(viewer));
      viewer.on('error', () => leave(viewer));
      viewer.write('retry: 2000\n\n');
      for (const text of last.values()) viewer.write(text);
      viewers.add(viewer);
      if (refreshing === null) {
        refreshing = every(everyMs, 0, refreshAll, () => {});
        void refreshAll();
      }
      return viewer;
    },
    async stop() {
      for (const viewer of viewers) viewer.destroy();
      await refreshing?.stop();
    },
  };
}
