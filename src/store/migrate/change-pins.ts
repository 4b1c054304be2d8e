// How `migrate` changes the pinned row: under a lock that no claim and no write-ahead overlaps, raising the generation, so that
// every instance repeats its checks.

import type pg from 'pg';
import { CommandRefused } from '../../core/errors.js';
import { PIN_LOCK } from '../pin-lock.js';
import { audit, type Decided, type Lanes, type Outcomes, PROTOCOL, type SameNonce } from '../pins.js';
import { unhurried } from '../pool.js';
import { RETIRED } from './indexes.js';
import { inTransaction, patiently } from './session.js';
import { isUnique, type SqlStep } from './sql-files.js';

/** The pinned row as it is found: before the steps have run, an earlier version's has fewer columns. */
export interface FoundPins {
  readonly protocol: number;
  readonly lanes: Lanes;
  readonly tolerance_ms: number;
  readonly clock_skew_max_ms: number;
  readonly database_id?: string | null;
  readonly timeline?: string | null;
  readonly database_oid?: number | null;
  readonly table_oid?: number | null;
  readonly same_nonce?: SameNonce;
  readonly outcomes?: Outcomes;
  readonly halted?: string | null;
  readonly halted_above_ms?: number | null;
}

/** What a person wants pinned anew. Whatever is left out stays as it is. */
export interface PinChanges {
  readonly lanes?: Lanes;
  readonly sameNonce?: SameNonce;
  /** Changed on its own, by `outcomes.ts`: no claim depends on it. */
  readonly outcomes?: Outcomes;
  readonly toleranceMs?: number;
  readonly clockSkewMaxMs?: number;
  /** Bounds may become lower: what is sent from then on may be taken for dead earlier. */
  readonly lowers?: boolean;
  /** A person has dealt with the reason for the halt. */
  readonly clearsHalt?: boolean;
}

/** Where the settings differ from what is pinned, in words. Only a flag changes a pin. */
export function differences(
  pin: FoundPins,
  settings: {
    readonly lanes: Lanes | null;
    readonly sameNonce?: SameNonce | null;
    readonly outcomes?: Outcomes | null;
    readonly toleranceMs: number | null;
    readonly clockSkewMaxMs: number | null;
  },
): readonly string[] {
  const compared: readonly [string, string, string | number | null, string | number][] = [
    ['LANES', '--lanes', settings.lanes, pin.lanes],
    ['SAME_NONCE', '--same-nonce', settings.sameNonce ?? null, pin.same_nonce ?? 'pay'],
    ['OUTCOMES', '--outcomes', settings.outcomes ?? null, pin.outcomes ?? 'off'],
    ['LEDGER_TIME_TOLERANCE_MS', '--tolerance', settings.toleranceMs, pin.tolerance_ms],
    ['CLOCK_SKEW_MAX_MS', '--clock-skew', settings.clockSkewMaxMs, pin.clock_skew_max_ms],
  ];
  return compared.flatMap(([name, flag, mine, pinned]) => {
    if (mine === null || mine === pinned) return [];
    const way = typeof mine === 'number' && mine < Number(pinned) ? flag.replace('--', '--lower-') : flag;
    return [
      `${name} is ${mine} here, and ${pinned} is pinned; nothing was changed. \`migrate ${way} ${mine}\` would change it`,
    ];
  });
}

export async function readPin(client: pg.Client): Promise<FoundPins | null> {
  const { rows: there } = await client.query("select to_regclass('mempool_submitter_v1') is not null as yes");
  if (there[0]?.yes !== true) return null;
  const { rows } = await client.query<{ pin: FoundPins }>(
    'select to_jsonb(p) as pin from mempool_submitter_v1 p',
  );
  return rows[0]?.pin ?? null;
}

/** Filled in where an earlier version, or one that was not allowed to ask, left it null; a pinned value is never replaced. */
interface Identity {
  readonly database_id: string | null;
  readonly timeline: string | null;
  readonly database_oid: string | null;
  readonly table_oid: string | null;
}

const PARTS = ['database_id', 'timeline', 'database_oid', 'table_oid'] as const;

const asIs = (pin: FoundPins, changes: PinChanges, now: Identity): boolean =>
  pin.protocol === PROTOCOL &&
  pin.lanes === (changes.lanes ?? pin.lanes) &&
  pin.same_nonce === (changes.sameNonce ?? pin.same_nonce) &&
  pin.tolerance_ms === (changes.toleranceMs ?? pin.tolerance_ms) &&
  pin.clock_skew_max_ms === (changes.clockSkewMaxMs ?? pin.clock_skew_max_ms) &&
  PARTS.every((part) => (pin[part] ?? null) !== null || now[part] === null) &&
  !(changes.clearsHalt === true && pin.halted);

/** Throws CommandRefused. Without lanes, two transfers of one nonce may be sent at once, whatever a claim looks at. */
export function refuseParkWithoutLanes(pin: { readonly lanes: Lanes; readonly sameNonce: SameNonce }): void {
  if (pin.sameNonce === 'park' && pin.lanes === 'off')
    throw new CommandRefused(
      'refused: SAME_NONCE=park needs lanes (LANES=sender or holdings): without lanes two transfers of one nonce may be sent at once',
    );
}

/** Throws where the changes would take away what a bound rests on, or end a halt whose cause remains. */
function refuseUnsafe(pin: FoundPins, changes: PinChanges): void {
  const { lowers = false, clearsHalt = false } = changes;
  const lower = (name: string, flag: string, wanted: number | undefined, pinned: number): void => {
    if (wanted === undefined) return;
    if (wanted < pinned && !lowers) {
      throw new CommandRefused(
        `refused: ${name} ${wanted} is lower than the pinned ${pinned}. \`migrate --lower-${flag} ${wanted}\` lowers it, and says what that risks`,
      );
    }
    if (wanted > pinned && lowers)
      throw new CommandRefused(
        `refused: ${name} ${wanted} is higher than the pinned ${pinned}: use --${flag}`,
      );
  };
  lower('the tolerance', 'tolerance', changes.toleranceMs, pin.tolerance_ms);
  lower('the clock skew', 'clock-skew', changes.clockSkewMaxMs, pin.clock_skew_max_ms);
  refuseParkWithoutLanes({
    lanes: changes.lanes ?? pin.lanes,
    sameNonce: changes.sameNonce ?? pin.same_nonce ?? 'pay',
  });
  if (!pin.halted) return;
  if (lowers)
    throw new CommandRefused(`refused: claims are halted (${pin.halted}); end that with --tolerance first`);
  const least = pin.halted_above_ms ?? 0;
  if (clearsHalt && (changes.toleranceMs ?? pin.tolerance_ms) < least) {
    throw new CommandRefused(
      `refused: claims are halted (${pin.halted}), and only a tolerance of at least ${least} ms would have kept that bound: give --tolerance ${least} or more`,
    );
  }
}

/**
 * $1 ms by which the tolerance has grown. A hosted submission carries `executeBefore` = its written bound less the tolerance
 * at that time, so the ledger may accept it that much later than its record says. The bound of an unknown record contains the
 * tolerance too. What was signed (the record has a hash) is bounded by `max_record_time`, which no tolerance moves.
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

/**
 * $1 protocol; $2 lanes, $3 same nonce, $4 tolerance, $5 skew, null: unchanged; $6 whether a halt ends; $7 ms by which the
 * tolerance has grown.
 */
const CHANGE = `
  update mempool_submitter_v1 p
     set protocol = $1, lanes = coalesce($2, p.lanes), same_nonce = coalesce($3, p.same_nonce),
         tolerance_ms = coalesce($4, p.tolerance_ms), clock_skew_max_ms = coalesce($5, p.clock_skew_max_ms),
         generation = generation + 1, pinned_at = now(),
         database_id = coalesce(p.database_id, d.database_id), timeline = coalesce(p.timeline, d.timeline),
         database_oid = coalesce(p.database_oid, d.database_oid), table_oid = coalesce(p.table_oid, d.table_oid),
         halted = case when $6::boolean then null else p.halted end,
         halted_above_ms = case when $6::boolean then null else p.halted_above_ms end,
         recheck_until = p.recheck_until + $7::float8 * interval '1 ms'
    from mempool_database_v1() d
  returning p.generation, p.lanes, p.same_nonce, p.tolerance_ms, p.clock_skew_max_ms`;

interface Changed {
  readonly generation: string;
  readonly lanes: string;
  readonly same_nonce: string;
  readonly tolerance_ms: number;
  readonly clock_skew_max_ms: number;
}

export async function changePins(
  client: pg.Client,
  before: FoundPins,
  changes: PinChanges,
  steps: readonly SqlStep[],
  decided: Decided,
  say: (line: string) => void,
): Promise<void> {
  const { lanes = before.lanes } = changes;
  /** Indexes that forbid what the new lanes allow. */
  const gone = steps.flatMap((step) =>
    step.index && isUnique(step) && step.lanes?.includes(before.lanes) && !step.lanes.includes(lanes)
      ? [step.index]
      : [],
  );
  const clearsHalt = changes.clearsHalt ?? false;
  const due = async (): Promise<FoundPins | null> => {
    const { rows } = await client.query<Identity>('select * from mempool_database_v1()');
    const pin = await readPin(client);
    if (pin === null || rows[0] === undefined) return null;
    refuseUnsafe(pin, changes);
    return asIs(pin, changes, rows[0]) ? null : pin;
  };
  if ((await due()) === null) return;
  await patiently(say, () =>
    inTransaction(client, async () => {
      // The index that forbids a second row of a sender must be gone before the first such claim.
      await client.query(gone.length > 0 ? 'lock table mempool in access exclusive mode' : PIN_LOCK);
      const pin = await due();
      if (pin === null) return;
      if (gone.length > 0) await client.query(`drop index if exists ${[...gone, ...RETIRED].join(', ')}`);
      const grown = Math.max(0, (changes.toleranceMs ?? pin.tolerance_ms) - pin.tolerance_ms);
      const moved = grown === 0 ? 0 : ((await unhurried(client, MOVE_BOUNDS, [grown])).rowCount ?? 0);
      const { rows } = await client.query<Changed>(CHANGE, [
        PROTOCOL,
        changes.lanes ?? null,
        changes.sameNonce ?? null,
        changes.toleranceMs ?? null,
        changes.clockSkewMaxMs ?? null,
        clearsHalt,
        grown,
      ]);
      const [now] = rows;
      if (now === undefined) return;
      await auditChanges(client, pin, now, { moved, clearsHalt, decided });
      say(
        `pinned anew (generation ${now.generation}): lanes ${now.lanes}, tolerance ${now.tolerance_ms} ms, clock skew ${now.clock_skew_max_ms} ms, same nonce ${now.same_nonce}; instances with other settings, or of another version, claim nothing from now on`,
      );
      if (moved > 0) {
        say(
          `${moved} undecided rows were sent under the earlier tolerance, so the ledger may accept them ${grown} ms later than was recorded; their bounds were moved`,
        );
      }
      if (clearsHalt && pin.halted) say(`claims are no longer halted; the reason was: ${pin.halted}`);
    }),
  );
}

/** Audits what a person decided; what a new version brings with it is not audited. */
async function auditChanges(
  client: pg.Client,
  pin: FoundPins,
  now: Changed,
  {
    moved,
    clearsHalt,
    decided,
  }: { readonly moved: number; readonly clearsHalt: boolean; readonly decided: Decided },
): Promise<void> {
  if (clearsHalt || now.tolerance_ms !== pin.tolerance_ms) {
    const change = {
      before_ms: pin.tolerance_ms,
      after_ms: now.tolerance_ms,
      bounds_moved: moved,
      ...(clearsHalt ? { halted: pin.halted ?? null } : {}),
    };
    await audit(client, 'tolerance', change, decided);
  }
  const others = ['lanes', 'same_nonce', 'clock_skew_max_ms'] as const;
  const changed = others.filter((name) => now[name] !== (pin[name] ?? now[name]));
  if (changed.length === 0) return;
  await audit(
    client,
    'pins',
    Object.fromEntries(
      changed.flatMap((name) => [
        [`${name}_before`, pin[name] ?? null],
        [name, now[name]],
      ]),
    ),
    decided,
  );
}
