// The keys that the middleware stores for its users, as `run` looks at them once, at its start.
import { SealedKey } from '../core/sealed-key.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

/** The newest say which master key is in force. Along the primary key; where nobody has a key, all of it, once a start. */
const STORED_KEYS: Statement<{ readonly key: string }> = {
  text: `select canton_private_key_encrypted as key from users
     where canton_private_key_encrypted <> '' order by id desc limit 20`,
};

/** Some of them; none where no user has one. Needs `select` on `users`, as the claim does. */
export async function storedKeys(database: Database): Promise<readonly SealedKey[]> {
  const rows = await database.run(STORED_KEYS, []);
  return rows.map((row) => new SealedKey(row.key));
}
