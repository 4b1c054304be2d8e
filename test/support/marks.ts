import type { Store } from '../../src/ports/store.js';

/** Moves the marks of whatever is pinned now. */
export async function advance(
  store: Store,
  marks: Omit<Parameters<Store['advanceMarks']>[0], 'generation'>,
): Promise<void> {
  const pinned = await store.pinned();
  if (pinned === null) throw new Error('nothing is pinned');
  await store.advanceMarks({ generation: pinned.generation, ...marks });
}
