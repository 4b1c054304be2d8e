// What `migrate` changes of the pinned row, under a lock that no claim and no write-ahead overlaps; the generation goes
// up, so that every instance checks itself anew.
import type pg from 'pg';
import { audit } from './audit.js';
import type { FirstPin } from './first-pin.js';
import { inTransaction, patiently } from './migration.js';
import { PIN_LOCK, PROTOCOL } from './pins.js';
import { unhurried } from './pool.js';
import type { Lanes, Step } from './steps.js';

/** What is there of it: a database that an earlier version migrated has fewer columns, before the steps have run. */
export interface PinTuple {
  readonly protocol: number;
  readonly lanes: Lanes;
  readonly tolerance_ms: number;
  readonly clock_skew_max_ms: number;
  readonly database_id?: string | null;
  readonly timeline?: string | null;
  readonly halted?: string | null;
}

export interface WantedPins extends FirstPin {
  /** A person has seen to what they were halted for. */
  readonly clearsHalt: boolean;
}

export async function readPin(client: pg.Client): Promise<PinTuple | null> {
  const { rows: there } = await client.query("select to_regclass('mempool_submitter_v1') is not null as yes");
  if (there[0]?.yes !== true) return null;
  const { rows } = await client.query<{ pin: PinTuple }>(
    'select to_jsonb(p) as pin from mempool_submitter_v1 p',
  );
  return rows[0]?.pin ?? null;
}

/** The halves that an earlier version, or one that was not allowed to ask, left open. Never another than was pinned. */
interface Identity {
  readonly database_id: string | null;
  readonly timeline: string | null;
}

const asIs = (pin: PinTuple, wanted: WantedPins, now: Identity): boolean =>
  pin.protocol === PROTOCOL &&
  pin.lanes === wanted.lanes &&
  pin.tolerance_ms === wanted.toleranceMs &&
  pin.clock_skew_max_ms === wanted.clockSkewMaxMs &&
  (pin.database_id ?? now.database_id) === (pin.database_id ?? null) &&
  (pin.timeline ?? now.timeline) === (pin.timeline ?? null) &&
  !wanted.clearsHalt;

/**
 * $1 ms by which the tolerance has grown. A hosted submission carries `executeBefore` = its written bound less the
 * tolerance of then, so the ledger may accept it that much longer than its record says; an unknown record's bound holds
 * the tolerance too. What was signed (its hash is there) has its bound from `max_record_time`, which no tolerance moves.
 */
const MOVE_BOUNDS = `
  with bound as materialized (
    select m.id from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
    union all
    select m.id from mempool m where m.status = 'pending' and m.claim_token is not null and m.sent_until is not null
  )
  update mempool m set sent_until = m.sent_until + $1::float8 * interval '1 ms'
    from bound b, mempool_submitter_v1 p
   where m.id = b.id and m.sent_until < 'infinity' and m.submission_hash is null and m.sent_on = p.sent_on`;

/** $1 protocol, $2 lanes, $3 tolerance, $4 skew, $5 whether claims may go on, $6 ms by which the tolerance has grown. */
const CHANGE = `
  update mempool_submitter_v1 p
     set protocol = $1, lanes = $2, tolerance_ms = $3, clock_skew_max_ms = $4, generation = generation + 1, pinned_at = now(),
         database_id = coalesce(p.database_id, d.database_id), timeline = coalesce(p.timeline, d.timeline),
         halted = case when $5::boolean then null else p.halted end,
         recheck_until = p.recheck_until + $6::float8 * interval '1 ms'
    from mempool_database_v1() d
  returning p.generation`;

export async function changePins(
  client: pg.Client,
  before: PinTuple,
  wanted: WantedPins,
  steps: readonly Step[],
  say: (line: string) => void,
): Promise<void> {
  const turningOff = wanted.lanes === 'off' && before.lanes === 'sender';
  const settled = async (): Promise<PinTuple | null> => {
    const { rows } = await client.query<Identity>('select * from mempool_database_v1()');
    const pin = await readPin(client);
    return pin === null || rows[0] === undefined || asIs(pin, wanted, rows[0]) ? null : pin;
  };
  if ((await settled()) === null) return;
  await patiently(say, () =>
    inTransaction(client, async () => {
      // Turned off, the index that forbids a second row of a sender has to be gone with the first claim without lanes.
      await client.query(turningOff ? 'lock table mempool in access exclusive mode' : PIN_LOCK);
      const pin = await settled();
      if (pin === null) return;
      for (const step of steps) {
        if (turningOff && step.lanes === 'sender') await client.query(`drop index if exists ${step.index}`);
      }
      const grown = Math.max(0, wanted.toleranceMs - pin.tolerance_ms);
      const moved = grown === 0 ? 0 : ((await unhurried(client, MOVE_BOUNDS, [grown])).rowCount ?? 0);
      const { rows } = await client.query<{ generation: string }>(CHANGE, [
        PROTOCOL,
        wanted.lanes,
        wanted.toleranceMs,
        wanted.clockSkewMaxMs,
        wanted.clearsHalt,
        grown,
      ]);
      if (wanted.clearsHalt || wanted.toleranceMs !== pin.tolerance_ms) {
        await audit(client, 'tolerance', {
          before_ms: pin.tolerance_ms,
          after_ms: wanted.toleranceMs,
          bounds_moved: moved,
          ...(wanted.clearsHalt ? { halted: pin.halted ?? null } : {}),
        });
      }
      say(
        `pinned anew (generation ${rows[0]?.generation}): lanes ${wanted.lanes}, tolerance ${wanted.toleranceMs} ms, clock skew ${wanted.clockSkewMaxMs} ms; instances with other LANES or LEDGER_TIME_TOLERANCE_MS claim nothing from here on`,
      );
      if (moved > 0) {
        say(
          `${moved} undecided rows were sent under the tolerance of before, so the ledger may accept them ${grown} ms longer than was recorded: their bounds were moved`,
        );
      }
      if (wanted.clearsHalt && pin.halted) say(`no longer halted; it was: ${pin.halted}`);
    }),
  );
}
