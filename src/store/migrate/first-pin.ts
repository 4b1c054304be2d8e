// The pinned row's first insert, and what the old submitter left behind: a transfer
// that it had sent and lost the answer of is its normal leftover, so every pending row gets an unknown record, and is
// looked up on the ledger before anything is sent for it (P24).

import { unknownSpanMs } from '../../protocol/bound.js';
import { HOSTED, PARTY, USER_OF } from '../senders.js';
import type { Lanes, SameNonce } from './steps.js';

export interface FirstPin {
  readonly lanes: Lanes;
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
  readonly sameNonce: SameNonce;
}

/** The ledger user that the submitter before ours sent as. */
export type OldUser = { readonly kind: 'same' } | { readonly kind: 'other'; readonly id: string };

export const oldUserId = (user: OldUser | null): string | null => (user?.kind === 'other' ? user.id : null);

/** $1 protocol, $2 lanes, $3 tolerance, $4 skew, $5 same nonce, $6 old user. Whoever comes second inserts nothing. */
export const INSERT_PIN = `insert into mempool_submitter_v1
    (protocol, generation, lanes, tolerance_ms, clock_skew_max_ms, same_nonce, old_user,
     database_id, timeline, database_oid, table_oid, table_options_before)
  select $1::int, 1, $2::text, $3::int, $4::int, $5::text, $6::text, d.database_id, d.timeline, d.database_oid, d.table_oid,
         (select reloptions from pg_class where oid = 'mempool'::regclass)
    from mempool_database_v1() d
  on conflict do nothing`;

/** Pending rows that nothing is recorded of, with their sender's party as the claim would find it. */
const LEFTOVERS = `
  select m.id, mempool_address_v1(m.contract_address) as token, ${PARTY} as party, ${HOSTED} as hosted
    from mempool m cross join lateral (${USER_OF('m.from_address')}) u
   where m.status = 'pending' and m.claim_token is null and m.sent_until is null
     and ${PARTY} is not null`;

/**
 * Whether there are any, so that the old user has to be known; and whether TOKENS_FILE is needed: a hosted sender's bound
 * depends on its token.
 */
export const LEFT_BEHIND = `select count(*) > 0 as some, count(*) filter (where l.hosted) > 0 as hosted from (${LEFTOVERS}) l`;

/**
 * $1 one-step tokens by value, $2 ms from now to the bound. Begins at 0: the earliest that the participant still
 * has. A two-step token of a hosted sender has no bound that the ledger knows of.
 */
export const RECORD_LEFTOVERS = `update mempool m
    set sent_from = 0, submission_party = l.party, sent_on = p.sent_on, sent_by = p.old_user,
        sent_until = case when l.hosted and not l.token = any ($1::text[]) then 'infinity'
          else date_trunc('milliseconds', now()) + $2::float8 * interval '1 ms' end
   from (${LEFTOVERS}) l, mempool_submitter_v1 p
  where m.id = l.id`;

/** `now()` is late enough to begin from: the old submitter was stopped three minutes before, with all that it had sent. */
export const leftoverBoundMs = (pin: FirstPin): number => unknownSpanMs(pin);

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Of a database that an earlier version migrated. */
const raiseProtocol = (protocol: number): string => `update mempool_submitter_v1 p
    set protocol = ${protocol}, generation = p.generation + 1, pinned_at = now(),
        database_id = coalesce(p.database_id, d.database_id), timeline = coalesce(p.timeline, d.timeline),
        database_oid = coalesce(p.database_oid, d.database_oid), table_oid = coalesce(p.table_oid, d.table_oid)
   from mempool_database_v1() d where p.protocol < ${protocol}`;

/** The same with its values written out, for a person who applies it by hand. */
export function printFirstPin(
  pin: FirstPin,
  protocol: number,
  oneStep: readonly string[] | null,
  oldUser: OldUser | null,
): string {
  const fill = (sql: string, values: readonly string[]): string =>
    values.reduce((text, value, at) => text.replaceAll(`$${at + 1}::`, `${value}::`), sql);
  const insert = fill(INSERT_PIN, [
    String(protocol),
    quoted(pin.lanes),
    String(pin.toleranceMs),
    String(pin.clockSkewMaxMs),
    quoted(pin.sameNonce),
    oldUser?.kind === 'other' ? quoted(oldUser.id) : 'null',
  ]);
  const tokens = `array[${(oneStep ?? []).map(quoted).join(', ')}]`;
  return [
    '-- the pinned row, and an unknown record for every row that the old submitter may have sent',
    ...(oneStep === null
      ? ['-- TOKENS_FILE is not set: no token counts as one-step, so rows of hosted senders get no bound']
      : []),
    // Applied again, it finds the row there, and what waits by then was sent by ours: it has its own record, or none.
    'do $$ begin',
    'lock table mempool in share row exclusive mode;',
    `${insert};`,
    `if not found then ${raiseProtocol(protocol)}; return; end if;`,
    ...(oldUser === null
      ? [
          `if exists (${LEFTOVERS}) then raise exception 'rows are pending: print this with --old-user, the ledger user of the submitter before'; end if;`,
        ]
      : []),
    `${fill(RECORD_LEFTOVERS, [tokens, String(leftoverBoundMs(pin))])};`,
    'end $$;',
    '',
  ].join('\n');
}
