import type { PathContext } from './context.js';

/**
 * What every poll of every instance does first (I3): takes the token off claims whose lease ran out. Whoever held
 * them misses every fence from then on; the claims that follow find the rows.
 */
export async function rescue({ store, emit }: PathContext): Promise<void> {
  const rows = await store.rescue();
  if (rows > 0) emit({ kind: 'rescued', rows });
}
