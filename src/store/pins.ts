// The pinned row: what all instances agree on. Pins change under a lock on mempool that no claim and no write-ahead can
// overlap, and raise the generation; a halt does the same; marks move by a statement of their own. Whoever decides about the
// whole table, or against a record, leaves an entry in the audit.
import type pg from 'pg';
import { dbMillis, party } from '../core/ids.js';
import type { DatabaseIdentity, Pinned } from '../ports/store.js';
import type { Lanes } from '../protocol/lanes.js';
import { isNotMigrated, WrongServer } from './errors.js';
import type { PinLock } from './pin-lock.js';
import type { Database } from './pool.js';
import type { Statement } from './statements.js';

export type { Lanes } from '../protocol/lanes.js';
export { PROTOCOL } from '../protocol/version.js';
export type SameNonce = Pinned['sameNonce'];
/** Who gets outcomes: nobody, readers of the library, or those and the receiver of webhooks. */
export const OUTCOMES = ['off', 'consumers', 'webhooks'] as const;
export type Outcomes = (typeof OUTCOMES)[number];

interface PinnedTuple {
  readonly generation: string;
  readonly protocol: number;
  readonly lanes: Lanes;
  readonly tolerance_ms: number;
  readonly clock_skew_max_ms: number;
  readonly same_nonce: SameNonce;
  readonly participant_id: string | null;
  readonly user_id: string | null;
  readonly synchronizer_id: string | null;
  readonly sent_on: number;
  readonly database_id: string | null;
  readonly timeline: string | null;
  readonly database_id_now: string | null;
  readonly timeline_now: string | null;
  readonly database_oid: string | null;
  readonly table_oid: string | null;
  readonly database_oid_now: string | null;
  readonly table_oid_now: string | null;
  readonly halted: string | null;
  /** Why this server takes no writes. */
  readonly no_writes: string | null;
  readonly recheck_from: string | null;
  readonly recheck_until: number | null;
  readonly ledger_end: string | null;
  readonly mark_offset: string | null;
  readonly mark_update_id: string | null;
  readonly mark_party: string | null;
  readonly other_marks: readonly {
    readonly offset: string;
    readonly update_id: string;
    readonly party: string;
  }[];
}

/** Whether a recheck is in force: for seven days, by the database's clock, since a lost insert may be repeated that late. */
export const RECHECKED = "p.recheck_at > now() - interval '7 days'";

/** One row, or none before `migrate`. */
const PINNED: Statement<PinnedTuple> = {
  text: `select p.generation, p.protocol, p.lanes, p.tolerance_ms, p.clock_skew_max_ms, p.same_nonce, p.participant_id,
      p.user_id, p.synchronizer_id, p.sent_on, p.database_id, p.timeline, d.database_id as database_id_now,
      d.timeline as timeline_now, p.database_oid, p.table_oid, d.database_oid as database_oid_now,
      d.table_oid as table_oid_now, p.halted,
      case when pg_is_in_recovery() then 'a standby: it has to be promoted'
           when current_setting('transaction_read_only') = 'on' then 'read-only: it has to take writes' end as no_writes,
      case when ${RECHECKED} then p.recheck_from end as recheck_from,
      (extract(epoch from p.recheck_until) * 1000)::float8 as recheck_until,
      p.ledger_end, p.mark_offset, p.mark_update_id, p.mark_party, p.other_marks
    from mempool_submitter_v1 p, mempool_database_v1() d`,
};

/** Under the pin lock. Only from null: the second instance reads what the first one pinned. */
const PIN_PARTICIPANT = `update mempool_submitter_v1
    set participant_id = $2, user_id = $3, synchronizer_id = $4, generation = generation + 1, pinned_at = now()
    where generation = $1 and participant_id is null`;

function pinnedOf(tuple: PinnedTuple): Pinned {
  const { participant_id: id, user_id: userId, synchronizer_id: synchronizerId } = tuple;
  return {
    generation: BigInt(tuple.generation),
    protocol: tuple.protocol,
    lanes: tuple.lanes,
    toleranceMs: tuple.tolerance_ms,
    clockSkewMaxMs: tuple.clock_skew_max_ms,
    sameNonce: tuple.same_nonce,
    participant:
      id === null || userId === null || synchronizerId === null ? null : { id, userId, synchronizerId },
    sentOn: tuple.sent_on,
    ...databasesOf(tuple),
    halted: tuple.halted,
    recheck:
      tuple.recheck_from === null || tuple.recheck_until === null
        ? null
        : { from: BigInt(tuple.recheck_from), until: dbMillis(tuple.recheck_until) },
    ledgerEnd: tuple.ledger_end === null ? null : BigInt(tuple.ledger_end),
    mark:
      tuple.mark_offset === null || tuple.mark_update_id === null || tuple.mark_party === null
        ? null
        : {
            offset: BigInt(tuple.mark_offset),
            updateId: tuple.mark_update_id,
            party: party(tuple.mark_party),
          },
    otherMarks: tuple.other_marks.map((mark) => ({
      offset: BigInt(mark.offset),
      updateId: mark.update_id,
      party: party(mark.party),
    })),
  };
}

/**
 * The database that was pinned, and the one that answers now. A part that may not be asked for, then or now, does not make a
 * difference, and is shown the same on both sides: where it was pinned and may not be asked for here, the claim itself is
 * refused, and says so.
 */
function databasesOf(tuple: PinnedTuple): Pick<Pinned, 'database' | 'answeringDatabase'> {
  const pinned = [tuple.database_id, tuple.timeline, tuple.database_oid, tuple.table_oid];
  const now = [tuple.database_id_now, tuple.timeline_now, tuple.database_oid_now, tuple.table_oid_now];
  const database = identityOf(pinned);
  const asked = tuple.database_id_now !== null || tuple.timeline_now !== null;
  const wanted = tuple.database_id !== null || tuple.timeline !== null;
  if (database === null) return { database, answeringDatabase: identityOf(now) };
  if (wanted && !asked) return { database, answeringDatabase: null };
  return { database, answeringDatabase: identityOf(pinned.map((part, at) => part && (now[at] ?? part))) };
}

const identityOf = (parts: readonly (string | null | undefined)[]): DatabaseIdentity | null => {
  const [systemId, timeline, database, table] = parts.map((part) => part ?? '');
  return parts.every((part) => !part)
    ? null
    : {
        systemId: systemId ?? '',
        timeline: timeline ?? '',
        database: database ?? '',
        table: table ?? '',
      };
};

/**
 * Null where `migrate` has not run. Throws WrongServer on a standby, which may be behind and takes no writes: a claim that
 * finds nothing would not notice, so this asks, every few seconds.
 */
export async function readPinned(database: Database): Promise<Pinned | null> {
  try {
    const [tuple] = await database.run(PINNED, []);
    if (tuple !== undefined && tuple.no_writes !== null) {
      // The next statement must not come back here either: the address may lead to the primary by now.
      database.leave();
      throw new WrongServer(`this server is ${tuple.no_writes}, or DATABASE_URL has to lead to the primary`);
    }
    return tuple === undefined ? null : pinnedOf(tuple);
  } catch (error) {
    if (isNotMigrated(error)) return null;
    throw error;
  }
}

export async function pinParticipant(
  alone: PinLock,
  generation: bigint,
  participant: NonNullable<Pinned['participant']>,
): Promise<Pinned | null> {
  return await alone('the participant can be pinned', async (client) => {
    const pinned = await client.query(PIN_PARTICIPANT, [
      generation.toString(),
      participant.id,
      participant.userId,
      participant.synchronizerId,
    ]);
    if (pinned.rowCount === 0) return null;
    const { rows } = await client.query<PinnedTuple>(PINNED.text);
    return rows[0] === undefined ? null : pinnedOf(rows[0]);
  });
}

/** Every claim, look and write-ahead reads `halted`; the generation tells those that compare nothing else. */
const HALT = `update mempool_submitter_v1
    set halted = $1, halted_above_ms = tolerance_ms + $2::int, generation = generation + 1, pinned_at = now()
    where halted is null`;

/** Halted already, and now by a later acceptance: the tolerance that ends the halt has to cover that one too. */
const RAISE_HALT = `update mempool_submitter_v1
    set halted_above_ms = greatest(halted_above_ms, tolerance_ms + $1::int) where halted is not null`;

/**
 * Stops all claims until a person acts: something that every bound rests on turned out to be wrong. Whatever was pinned in
 * the meantime, since a bound that was broken protects nobody. False: claims were halted before.
 */
export async function halt(alone: PinLock, reason: string, lateMs: number): Promise<boolean> {
  return await alone('claims can be halted', async (client) => {
    const halted = await client.query(HALT, [reason, lateMs]);
    if (halted.rowCount === 0) {
      await client.query(RAISE_HALT, [lateMs]);
      return false;
    }
    await audit(client, 'halt', { reason }, BY_ITSELF);
    return true;
  });
}

export type AuditedAction =
  | 'recheck'
  | 'halt'
  | 'tolerance'
  | 'pins'
  | 'repin'
  | 'remark'
  | 'down'
  | 'completed'
  | 'force-new';

/** For the audit. */
export interface Decided {
  /** `user@host`, or whom the admin page had to do with; null: an instance by itself. */
  readonly by: string | null;
  /** Why, in the person's own words; null: not said. */
  readonly reason: string | null;
}

export const BY_ITSELF: Decided = { by: null, reason: null };

/** In the transaction that does it, so that there is no change without its entry and no entry without its change. */
export async function audit(
  client: pg.ClientBase,
  action: AuditedAction,
  change: Readonly<Record<string, string | number | null>>,
  { by, reason }: Decided,
): Promise<void> {
  await client.query(
    'insert into mempool_submitter_audit_v1 (action, change, by_person, reason) values ($1, $2, $3, $4)',
    [action, change, by, reason],
  );
}
