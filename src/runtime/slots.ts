import pLimit from 'p-limit';

/**
 * Room for work, the one owner of back-pressure: rows are claimed only for free slots, so nothing claimed ever
 * waits in a local queue while another instance is idle.
 */
export interface Slots {
  free(): number;
  busy(): number;
  /** Starts at once where `free() > 0`. The task must not reject. */
  run(task: () => Promise<void>): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

export function createSlots(size: number, onFreed: () => void): Slots {
  const limit = pLimit(size);
  const tasks = new Set<Promise<void>>();
  return {
    free: () => size - tasks.size,
    busy: () => tasks.size,
    run(task) {
      const running: Promise<void> = limit(task).finally(() => {
        tasks.delete(running);
        onFreed();
      });
      tasks.add(running);
    },
    async idle() {
      while (tasks.size > 0) await Promise.allSettled(tasks);
    },
  };
}
