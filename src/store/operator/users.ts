// What the API does when somebody registers: a row in `users`, for the commands that stand in for it.
import type { Database } from '../pool.js';
import type { Statement } from '../statements.js';

export interface NewUser {
  /** EIP-55. */
  readonly address: string;
  readonly party: string;
  /** An external party's key, encrypted as the middleware stores it; null: the participant acts for the party. */
  readonly sealedKey: string | null;
}

const USERS: Statement<never> = {
  text: `insert into users (evm_address, canton_party, canton_party_id, fingerprint, canton_private_key_encrypted)
    select address, party, party, fingerprint, key
      from unnest($1::text[], $2::text[], $3::text[], $4::text[]) u(address, party, fingerprint, key)`,
};

export async function addUsers(database: Database, users: readonly NewUser[]): Promise<void> {
  await database.run(USERS, [
    users.map(({ address }) => address),
    users.map(({ party }) => party),
    users.map(({ party }) => party.split('::')[1] ?? party),
    users.map(({ sealedKey }) => sealedKey),
  ]);
}
