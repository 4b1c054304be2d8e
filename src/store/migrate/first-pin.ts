// The first insert of the pinned row, and the rows that the old submitter left behind. A transfer that it sent, and whose
// answer it lost, is a usual leftover; so every pending row gets an unknown record, and is looked up on the ledger before
// anything is sent for it (P24).
import type pg from 'pg';
import { ConfigError } from '../../core/errors.js';
import { unknownSpanMs } from '../../protocol/bound.js';
import { type Lanes, PROTOCOL, type SameNonce } from '../pins.js';
import { byValue, HOSTED, PARTY, USER_OF } from '../users.js';
import { inTransaction, patiently } from './session.js';

export interface FirstPin {
  readonly lanes: Lanes;
  readonly toleranceMs: number;
  readonly clockSkewMaxMs: number;
  readonly sameNonce: SameNonce;
}

/** The ledger user that the old submitter sent as. */
export type OldUser = { readonly kind: 'same' } | { readonly kind: 'other'; readonly id: string };

/** What decides how leftovers are looked up. */
export interface Leftovers {
  /** Addresses of the tokens whose transfer is one step, from TOKENS_FILE; null where that is not set. */
  readonly oneStepTokens: readonly string[] | null;
  /** Null: not given. Required where rows are pending at the first pin. */
  readonly oldUser?: OldUser | null;
}

const oldUserId = (user: OldUser | null): string | null => (user?.kind === 'other' ? user.id : null);

/** $1 protocol, $2 lanes, $3 tolerance, $4 skew, $5 same nonce, $6 old user. The second one to run it inserts nothing. */
export const INSERT_PIN = `insert into mempool_submitter_v1
    (protocol, generation, lanes, tolerance_ms, clock_skew_max_ms, same_nonce, old_user,
     database_id, timeline, database_oid, table_oid, table_options_before)
  select $1::int, 1, $2::text, $3::int, $4::int, $5::text, $6::text, d.database_id, d.timeline, d.database_oid, d.table_oid,
         (select reloptions from pg_class where oid = 'mempool'::regclass)
    from mempool_database_v1() d
  on conflict do nothing`;

/** Pending rows without a record, with their sender's party as the claim would find it. */
const LEFTOVERS = `
  select m.id, mempool_address_v1(m.contract_address) as token, ${PARTY} as party, ${HOSTED} as hosted
    from mempool m cross join lateral (${USER_OF('m.from_address')}) u
   where m.status = 'pending' and m.claim_token is null and m.sent_until is null
     and ${PARTY} is not null`;

/**
 * Whether there are leftovers, so that the old user has to be known, and whether some are of hosted senders, whose bound
 * depends on the token, so that TOKENS_FILE is needed.
 */
const LEFT_BEHIND = `select count(*) > 0 as some, count(*) filter (where l.hosted) > 0 as hosted from (${LEFTOVERS}) l`;

/**
 * $1 one-step tokens by value, $2 ms from now to the bound: `now()` is late enough to count from, since the old submitter was
 * stopped three minutes earlier. From 0, which means the earliest that the participant still has. The ledger knows no bound
 * for a two-step transfer of a hosted sender.
 */
const RECORD_LEFTOVERS = `update mempool m
    set sent_from = 0, submission_party = l.party, sent_on = p.sent_on, sent_by = p.old_user,
        sent_until = case when l.hosted and not l.token = any ($1::text[]) then 'infinity'
          else date_trunc('milliseconds', now()) + $2::float8 * interval '1 ms' end
   from (${LEFTOVERS}) l, mempool_submitter_v1 p
  where m.id = l.id`;

export async function firstPin(
  client: pg.Client,
  pin: FirstPin,
  leftovers: Leftovers,
  say: (line: string) => void,
): Promise<void> {
  await patiently(say, () =>
    inTransaction(client, async () => {
      const inserted = await client.query(INSERT_PIN, [
        PROTOCOL,
        pin.lanes,
        pin.toleranceMs,
        pin.clockSkewMaxMs,
        pin.sameNonce,
        oldUserId(leftovers.oldUser ?? null),
      ]);
      if (inserted.rowCount === 0) return;
      await askForWhatLeftoversNeed(client, leftovers);
      const records = await client.query(RECORD_LEFTOVERS, [
        (leftovers.oneStepTokens ?? []).map(byValue),
        unknownSpanMs(pin),
      ]);
      say(
        `pinned: lanes ${pin.lanes}, tolerance ${pin.toleranceMs} ms, clock skew ${pin.clockSkewMaxMs} ms, same nonce ${pin.sameNonce}`,
      );
      say(
        `${records.rowCount ?? 0} pending rows will be looked up on the ledger before anything is sent for them`,
      );
    }),
  );
}

/** Pending rows may have been sent by the old submitter: its user and the kind of token decide how they are looked up. */
async function askForWhatLeftoversNeed(
  client: pg.Client,
  { oldUser = null, oneStepTokens }: Leftovers,
): Promise<void> {
  const { rows } = await client.query<{ some: boolean; hosted: boolean }>(LEFT_BEHIND);
  const problems: string[] = [];
  if (rows[0]?.some && oldUser === null) {
    problems.push(
      '--old-user: required here, since rows are pending: the ledger user that the old submitter sent as, or `same` where that is CANTON_USER_ID. Only that user can see what it sent, and without it those transfers could be paid again',
    );
  }
  if (rows[0]?.hosted && oneStepTokens === null) {
    problems.push(
      'TOKENS_FILE: required here, since rows of hosted senders are pending: whether their earlier submissions can still commit depends on their token',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** For a database that an earlier version migrated. */
const raiseProtocol = (protocol: number): string => `update mempool_submitter_v1 p
    set protocol = ${protocol}, generation = p.generation + 1, pinned_at = now(),
        database_id = coalesce(p.database_id, d.database_id), timeline = coalesce(p.timeline, d.timeline),
        database_oid = coalesce(p.database_oid, d.database_oid), table_oid = coalesce(p.table_oid, d.table_oid)
   from mempool_database_v1() d where p.protocol < ${protocol}`;

/** The first pin with its values written out, for a person who applies it by hand. */
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
    // Applied again, it finds the pinned row and leaves the waiting rows alone: by then ours may have sent for them.
    'do $$ begin',
    'lock table mempool in share row exclusive mode;',
    `${insert};`,
    `if not found then ${raiseProtocol(protocol)}; return; end if;`,
    ...(oldUser === null
      ? [
          `if exists (${LEFTOVERS}) then raise exception 'rows are pending: print this with --old-user, the ledger user of the old submitter'; end if;`,
        ]
      : []),
    `${fill(RECORD_LEFTOVERS, [tokens, String(unknownSpanMs(pin))])};`,
    'end $$;',
    '',
  ].join('\n');
}
