// What a person decides about the pinned participant: `migrate --remark` forgets its marks, `migrate --repin` unpins it, since
// no other participant can tell what was sent on it.
import type pg from 'pg';
import { CommandRefused } from '../../core/errors.js';
import { refuseWhileAtWork } from '../migrate/at-work.js';
import { inSession, inTransaction, patiently } from '../migrate/session.js';
import { audit, BY_ITSELF, type Decided, PIN_LOCK, RECHECKED } from '../pins.js';
import { unhurried } from '../pool.js';

export interface RemarkPreview {
  readonly participant: string;
  /** Offsets of the marks that would be forgotten, newest first. */
  readonly marks: readonly string[];
}

interface MarksTuple {
  readonly participant_id: string | null;
  readonly mark_offset: string | null;
  readonly mark_update_id: string | null;
  readonly mark_party: string | null;
  readonly other_marks: readonly { readonly offset: string }[];
}

const MARKS =
  'select participant_id, mark_offset, mark_update_id, mark_party, other_marks from mempool_submitter_v1';

/** The ledger end stays: a participant whose end lies before it is still another one, or a restored one. */
const REMARK = `
  update mempool_submitter_v1
     set mark_offset = null, mark_update_id = null, mark_party = null, other_marks = '[]',
         generation = generation + 1, pinned_at = now()`;

/**
 * For marks that can no longer be shown: pruned, or of parties whose rights are gone. Until something new is marked, only the
 * participant's id identifies it. `agrees` is asked with what would be forgotten; false changes nothing.
 */
export async function remark(
  url: string,
  agrees: (preview: RemarkPreview) => Promise<boolean>,
  say: (line: string) => void,
  decided: Decided = BY_ITSELF,
): Promise<void> {
  await inSession(url, say, async (client) => {
    const read = async (): Promise<MarksTuple> => {
      const { rows } = await client.query<MarksTuple>(MARKS);
      const [marks] = rows;
      if (!marks?.mark_offset)
        throw new CommandRefused('refused: nothing is marked, so there is nothing to forget');
      return marks;
    };
    const before = await read();
    const marks = [before.mark_offset ?? '', ...before.other_marks.map(({ offset }) => offset)];
    if (!(await agrees({ participant: before.participant_id ?? '', marks })))
      return say('nothing was changed');
    await patiently(say, () =>
      inTransaction(client, async () => {
        await client.query(PIN_LOCK);
        const now = await read();
        await client.query(REMARK);
        await audit(client, 'remark', { ...now, other_marks: JSON.stringify(now.other_marks) }, decided);
      }),
    );
    say(
      'the marks are forgotten; the next acceptance that the pinned participant shows becomes the new mark',
    );
  });
}

export interface RepinPreview {
  readonly participant: string;
  /** After a failover or a restore, what was lost with it is still asked about; no other participant can tell. */
  readonly rechecked: boolean;
  readonly undecided: number;
  readonly claimed: number;
}

interface ParticipantTuple {
  readonly participant_id: string | null;
  readonly user_id: string | null;
  readonly synchronizer_id: string | null;
  readonly ledger_end: string | null;
  readonly mark_update_id: string | null;
  readonly sent_on: number;
}

const PARTICIPANT =
  'select participant_id, user_id, synchronizer_id, ledger_end, mark_update_id, sent_on from mempool_submitter_v1';

/** mempool_undecided_v1 and the index of claims, for claims that have run out: those with a record, and those without. */
const TO_PARK = `
  select count(*) filter (where sent_until is not null)::int as undecided,
         count(*) filter (where sent_until is null)::int as claimed,
         coalesce((select ${RECHECKED} from mempool_submitter_v1 p), false) as rechecked
    from (select m.sent_until from mempool m where m.status = 'pending' and m.claim_token is null and m.sent_until is not null
          union all
          select m.sent_until from mempool m where m.status = 'pending' and m.claim_token is not null) h`;

/**
 * $1 why. Undecided rows keep their records and wait for a person. Every claim ends, since its holder would settle by what it
 * has read on the participant before. A row that was parked already keeps its reason.
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

/** Offsets belong to one participant: marks, ledger end and recheck are forgotten with it. */
const UNPIN = `
  update mempool_submitter_v1
     set participant_id = null, user_id = null, synchronizer_id = null, ledger_end = null,
         mark_offset = null, mark_update_id = null, mark_party = null, other_marks = '[]',
         recheck_from = null, recheck_until = null, recheck_at = null,
         sent_on = sent_on + 1, generation = generation + 1, pinned_at = now()`;

/** `agrees` is asked with what would happen; false changes nothing. */
export async function repin(
  url: string,
  agrees: (preview: RepinPreview) => Promise<boolean>,
  say: (line: string) => void,
  decided: Decided = BY_ITSELF,
): Promise<void> {
  await inSession(url, say, async (client) => {
    const toPark = async (): Promise<Omit<RepinPreview, 'participant'>> => {
      const { rows } = await client.query<Omit<RepinPreview, 'participant'>>(TO_PARK);
      return rows[0] ?? { undecided: 0, claimed: 0, rechecked: false };
    };
    const { id } = await pinnedParticipant(client);
    await refuseWhileAtWork(client);
    if (!(await agrees({ participant: id, ...(await toPark()) }))) return say('nothing was changed');
    // Reported after the commit, which may fail and be tried again.
    const done = await patiently(say, () =>
      inTransaction(client, async () => {
        await client.query(PIN_LOCK);
        await refuseWhileAtWork(client);
        // Read again under the lock: a person took their time to agree.
        const { id, tuple } = await pinnedParticipant(client);
        const counts = await toPark();
        await unhurried(client, PARK, [
          `REPINNED: sent on participant no. ${tuple.sent_on}, ${id}; ends by replay --completed or --force-new`,
        ]);
        await client.query(UNPIN);
        await audit(client, 'repin', { ...tuple, parked: counts.undecided }, decided);
        return [
          `${id} is no longer pinned; the next instance that connects pins the participant it is shown, as no. ${tuple.sent_on + 1}`,
          `${counts.undecided} undecided rows are parked with their records, and each ends only by replay --completed or --force-new; ${counts.claimed} other claims have ended`,
        ];
      }),
    );
    for (const line of done) say(line);
  });
}

async function pinnedParticipant(
  client: pg.Client,
): Promise<{ readonly id: string; readonly tuple: ParticipantTuple }> {
  const { rows } = await client.query<ParticipantTuple>(PARTICIPANT);
  const [tuple] = rows;
  if (tuple === undefined || tuple.participant_id === null) {
    throw new CommandRefused(
      'refused: no participant is pinned, so the next instance pins the one it is shown anyway',
    );
  }
  return { id: tuple.participant_id, tuple };
}
