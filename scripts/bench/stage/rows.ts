// Who sends in a benchmark, and what. Senders take turns, so that as long as there are more of them than rows in flight
// nobody waits for his own; receivers never send, so that a sender always has one holding to spend and one to get back.
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { sealKey } from '../../../src/transfer/key.js';
import type { Job } from '../workers/transfer.js';
import type { Participant, Party } from './participant.js';

export type Kind = 'hosted' | 'external' | 'mixed';

export interface User extends Party {
  readonly address: string;
}

export interface BenchRow {
  readonly hash: Buffer;
  readonly from: User;
  readonly to: User;
  readonly nonce: number;
}

export interface Rows {
  next(kind: Kind, count: number): BenchRow[];
}

const RECEIVERS = 20;
const USERS = `insert into users (evm_address, canton_party, canton_party_id, fingerprint, canton_private_key_encrypted)
  select address, party, party, split_part(party, '::', 2), key
    from unnest($1::text[], $2::text[], $3::text[]) u(address, party, key)`;

export async function createRows(
  participant: Participant,
  client: pg.Client,
  {
    senders,
    holdings,
    masterKey,
  }: { readonly senders: number; readonly holdings: number; readonly masterKey: Buffer },
): Promise<Rows> {
  const usersOf = async (count: number, hint: string, external: boolean): Promise<User[]> => {
    const parties = await participant.createParties(count, hint, external, holdings);
    const users = parties.map((one) => ({ ...one, address: `0x${randomBytes(20).toString('hex')}` }));
    await client.query(USERS, [
      users.map(({ address }) => address),
      users.map(({ party }) => party),
      users.map(({ key }) => (key === undefined ? null : sealKey(Buffer.from(key, 'hex'), masterKey))),
    ]);
    return users;
  };
  const hosted = await usersOf(senders, 'hosted', false);
  const external = await usersOf(senders, 'external', true);
  const receivers = await usersOf(RECEIVERS, 'receiver', false);
  let turn = 0;
  const at = (users: readonly User[], index: number): User => {
    const user = users[index % users.length];
    if (user === undefined) throw new Error('a benchmark without users');
    return user;
  };
  return {
    next: (kind, count) =>
      Array.from({ length: count }, () => {
        turn += 1;
        const isExternal = kind === 'external' || (kind === 'mixed' && turn % 2 === 1);
        return {
          hash: randomBytes(32),
          from: at(isExternal ? external : hosted, turn),
          to: at(receivers, turn),
          nonce: turn,
        };
      }),
  };
}

export const commandId = ({ hash }: BenchRow): string => `0x${hash.toString('hex')}`;

export const jobOf = (row: BenchRow): Job => ({
  hash: commandId(row),
  sender: row.from.party,
  receiver: row.to.party,
  ...(row.from.key === undefined ? {} : { key: row.from.key }),
});
