// Looks at undecided rows come when the test says so, and at no other time: whether a look sees what was before or after
// a step of the test is not for the machine to decide.
import { dbMillis } from '../../src/core/ids.js';
import type { FoundKind } from '../../src/path/look/completion.js';
import type { Store } from '../../src/ports/store.js';
import type { Local } from './local.js';
import type { World } from './world.js';

export interface Looks {
  readonly wrap: (store: Store) => Store;
  /** One look at every undecided row, due or parked; it has settled them. What it found, row by row. */
  once(world: World, local: Local): Promise<FoundKind[]>;
  /** From here on they come as they do in production. */
  goOn(): void;
}

export function createLooks(): Looks {
  let allowed: 'none' | 'one' | 'all' = 'none';
  return {
    wrap: (store) => ({
      ...store,
      async claimUndecided(request) {
        if (allowed === 'none') return { kind: 'claimed', rows: [], now: dbMillis(0) };
        const reply = await store.claimUndecided(request);
        if (allowed === 'one' && reply.kind === 'claimed' && reply.rows.length > 0) allowed = 'none';
        return reply;
      },
    }),
    async once(world, local) {
      const rows = await world.db.query<{ hash: string }>(
        `select '0x' || encode(tx_hash, 'hex') as hash from mempool
          where status = 'pending' and sent_until is not null and claim_token is null order by id`,
      );
      const found = rows.map(({ hash }) => nextLook(local, hash));
      allowed = 'one';
      await world.db.query(
        "update mempool set available_at = now() where status = 'pending' and sent_until is not null and claim_token is null",
      );
      return await Promise.all(found);
    },
    goOn() {
      allowed = 'all';
    },
  };
}

/** What the next look finds; its row is settled by then. */
async function nextLook(local: Local, hash: string): Promise<FoundKind> {
  const seen = local.events.length;
  const before = new Set(local.events);
  await local.event('settled', (event) => event.txHash === hash && !before.has(event));
  const looked = local.events
    .slice(seen)
    .flatMap((event) => (event.kind === 'looked' && event.txHash === hash ? [event.found] : []));
  const [found, ...more] = looked;
  if (found === undefined || more.length > 0) throw new Error(`${looked.length} looks instead of one`);
  return found;
}

/**
 * Nothing of the row is under way any more, and its bound is moved to now: it lies behind without any waiting.
 */
export async function endBound(world: World, hash: string): Promise<void> {
  const moved = await world.db.pool.query(
    `update mempool set sent_until = date_trunc('milliseconds', now())
      where tx_hash = $1 and sent_until is not null and claim_token is null`,
    [Buffer.from(hash.slice(2), 'hex')],
  );
  if (moved.rowCount !== 1) throw new Error('there is no record of it, or somebody holds it');
}
