// Another participant from here on: an operator's decision, since none can tell of what was sent on the one before it.
import type pg from 'pg';
import { Refusal } from '../../core/errors.js';
import { refuseWhileAtWork } from '../migrate/connected.js';
import { inTransaction, ofMigration, patiently } from '../migrate/migration.js';
import { PIN_LOCK } from '../pins.js';
import { unhurried } from '../pool.js';
import { audit } from './audit.js';

export interface RepinPreview {
  readonly participant: string;
  readonly undecided: number;
  readonly claimed: number;
}

interface PinTuple {
  readonly participant_id: string | null;
  readonly user_id: string | null;
  readonly synchronizer_id: string | null;
  readonly ledger_end: string | null;
  readonly mark_update_id: string | null;
  readonly sent_on: number;
}

const PIN =
  'select participant_id, user_id, synchronizer_id, ledger_end, mark_update_id, sent_on from mempool_submitter_v1';

/** mempool_undecided_v1 and the index of claims: those that ran out. A claim has its record from the claim on, or none was written yet. */
const HELD = `
  select count(*) filter (where sent_until is not null)::int as undecided,
         count(*) filter (where sent_until is null)::int as claimed
    from (select m.sent_until from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
          union all
          select m.sent_until from mempool m where m.status = 'pending' and m.claim_token is not null) h`;

/**
 * $1 why. Undecided rows keep their records and wait for a person; every claim ends, since what its holder has read of
 * the ledger, and would settle by, it read from the participant of before. What was parked has its own reason.
 */
const PARK = `
  with held as materialized (
    select m.id from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
    union all
    select m.id from mempool m where m.status = 'pending' and m.claim_token is not null
  )
  update mempool m
     set claim_token = null, claimed_by = null, claimed_at = null, lease_expires_at = null,
         available_at = case when m.sent_until is null then m.available_at else 'infinity' end,
         last_error = case when m.sent_until is null or m.available_at = 'infinity' then m.last_error else $1 end
    from held h where m.id = h.id`;

/** Offsets are a participant's own: marks, ledger end and recheck go with it. */
const FORGET = `
  update mempool_submitter_v1
     set participant_id = null, user_id = null, synchronizer_id = null, ledger_end = null,
         mark_offset = null, mark_update_id = null, mark_party = null, other_marks = '[]',
         recheck_from = null, recheck_until = null, recheck_at = null,
         sent_on = sent_on + 1, generation = generation + 1, pinned_at = now()`;

/** `agrees` is asked with what it would do; false changes nothing. */
export async function repin(
  url: string,
  agrees: (preview: RepinPreview) => Promise<boolean>,
  say: (line: string) => void,
): Promise<void> {
  await ofMigration(url, say, async (client) => {
    const held = async (): Promise<Omit<RepinPreview, 'participant'>> => {
      const { rows } = await client.query<Omit<RepinPreview, 'participant'>>(HELD);
      return rows[0] ?? { undecided: 0, claimed: 0 };
    };
    const { id } = await pinnedNow(client);
    await refuseWhileAtWork(client);
    if (!(await agrees({ participant: id, ...(await held()) }))) return say('nothing was changed');
    // Said when it is so: a commit may fail, and is tried again.
    const done = await patiently(say, () =>
      inTransaction(client, async () => {
        await client.query(PIN_LOCK);
        await refuseWhileAtWork(client);
        // Read again under the lock: the questions took their time.
        const { id, pin } = await pinnedNow(client);
        const counts = await held();
        await unhurried(client, PARK, [
          `REPINNED: sent on participant no. ${pin.sent_on}, ${id}; ends by replay --completed or --force-new`,
        ]);
        await client.query(FORGET);
        await audit(client, 'repin', { ...pin, parked: counts.undecided });
        return [
          `${id} is pinned no more; the next instance that connects pins the participant it is shown, as no. ${pin.sent_on + 1}`,
          `${counts.undecided} undecided rows are parked with their records, each ends by replay --completed or --force-new alone; ${counts.claimed} other claims have ended`,
        ];
      }),
    );
    for (const line of done) say(line);
  });
}

async function pinnedNow(client: pg.Client): Promise<{ readonly id: string; readonly pin: PinTuple }> {
  const { rows } = await client.query<PinTuple>(PIN);
  const [pin] = rows;
  if (pin === undefined || pin.participant_id === null) {
    throw new Refusal(
      'refused: no participant is pinned, so the next instance pins the one it is shown anyway',
    );
  }
  return { id: pin.participant_id, pin };
}
