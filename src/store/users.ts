// What the API's table `users` says: of a row's sender, as the claim reads it; and, for `run` and `doctor`, which parties and
// keys it holds.
import { SealedKey } from '../core/sealed-key.js';
import type { UserParty } from '../core/user-party.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/** SQL: the row of `users` for an address, however either is spelled; where there are two, the one spelled the same way. */
export const USER_OF = (address: string): string => `select a.* from users a
     where mempool_address_v1(a.evm_address) = mempool_address_v1(${address})
     order by (a.evm_address = ${address}) desc, a.id limit 1`;

/** SQL, of user `u`: the stored party; null where there is none, or no such user. */
export const PARTY = "coalesce(nullif(u.canton_party_id, ''), nullif(u.canton_party, ''))";

/** SQL, of user `u`: no key is stored, here or elsewhere, so the participant acts for the party. Null: no such user. */
export const HOSTED = "(nullif(u.canton_private_key_encrypted, '') is null and u.key_mode <> 'external')";

/** The same as `mempool_address_v1`: in lower case, without 0x. */
export const byValue = (address: string): string => address.toLowerCase().replace(/^0x/, '');

/** Along the primary key, newest first. */
const USER_PARTIES: Statement<UserParty> = {
  text: `select u.evm_address as address, ${PARTY} as party, ${HOSTED} as hosted from users u
     where ${PARTY} is not null order by u.id desc limit $1`,
};

export const userParties = (database: Database, limit: number): Promise<readonly UserParty[]> =>
  database.run(USER_PARTIES, [limit]);

/** By address, however it is spelled, or by party. Scans `users`, for a command that asks once. */
const FIND_USER: Statement<UserParty> = {
  text: `select u.evm_address as address, ${PARTY} as party, ${HOSTED} as hosted from users u
     where mempool_address_v1(u.evm_address) = mempool_address_v1($1) or ${PARTY} = $1 order by u.id limit 2`,
};

/** Two, where several users match. */
export const findUser = (database: Database, addressOrParty: string): Promise<readonly UserParty[]> =>
  database.run(FIND_USER, [addressOrParty]);

/**
 * The newest show which master key is in use. Along the primary key: where nobody has a key it reads the whole table, once
 * a start.
 */
const STORED_KEYS: Statement<{ readonly key: string }> = {
  text: `select canton_private_key_encrypted as key from users
     where canton_private_key_encrypted <> '' order by id desc limit 20`,
};

/** Some of the keys that the API stores for its users. Needs `select` on `users`, as the claim does. */
export async function storedKeys(database: Database): Promise<readonly SealedKey[]> {
  const rows = await database.run(STORED_KEYS, []);
  return rows.map((row) => new SealedKey(row.key));
}
