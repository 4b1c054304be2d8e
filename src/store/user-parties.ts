// The parties of `users`, as `doctor` and the first start look at them.
import type { Database } from './pool.js';
import { HOSTED, PARTY } from './senders.js';
import type { Statement } from './statements.js';

export interface UserParty {
  readonly address: string;
  readonly party: string;
  /** The participant acts for it; else its key signs. */
  readonly hosted: boolean;
}

/** Along the primary key, the newest first. */
const USER_PARTIES: Statement<{
  readonly address: string;
  readonly party: string;
  readonly hosted: boolean;
}> = {
  text: `select u.evm_address as address, ${PARTY} as party, ${HOSTED} as hosted from users u
     where ${PARTY} is not null order by u.id desc limit $1`,
};

/** The address however it is spelled, or the party. A scan of `users`, where somebody asked for one. */
const FIND_USER: typeof USER_PARTIES = {
  text: `select u.evm_address as address, ${PARTY} as party, ${HOSTED} as hosted from users u
     where mempool_address_v1(u.evm_address) = mempool_address_v1($1) or ${PARTY} = $1 order by u.id limit 2`,
};

const CLOCK: Statement<{ readonly now: number }> = {
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
};

export const userParties = (database: Database, limit: number): Promise<readonly UserParty[]> =>
  database.run(USER_PARTIES, [limit]);

/** Two where it is not one person's alone. */
export const findUser = (database: Database, addressOrParty: string): Promise<readonly UserParty[]> =>
  database.run(FIND_USER, [addressOrParty]);

/** In ms since the epoch, by the database. */
export async function databaseNow(database: Database): Promise<number> {
  const [row] = await database.run(CLOCK, []);
  if (row === undefined) throw new Error('no row of a clock');
  return row.now;
}
