// `migrate --remark`: what was marked of the participant is forgotten, where none of it can be shown any more: pruned, or
// of parties whose rights are gone. A decision: until something new is marked, its id alone speaks for it.
import { Refusal } from '../../core/errors.js';
import { inTransaction, ofMigration, patiently } from '../migrate/migration.js';
import { PIN_LOCK } from '../pins.js';
import { audit } from './audit.js';

export interface RemarkPreview {
  readonly participant: string;
  /** Offsets of what is forgotten, the newest first. */
  readonly marks: readonly string[];
}

interface MarkTuple {
  readonly participant_id: string | null;
  readonly mark_offset: string | null;
  readonly mark_update_id: string | null;
  readonly mark_party: string | null;
  readonly other_marks: readonly { readonly offset: string }[];
}

const MARKS =
  'select participant_id, mark_offset, mark_update_id, mark_party, other_marks from mempool_submitter_v1';

/** The ledger end stays: a participant that is behind it is still another one, or restored. */
const FORGET = `
  update mempool_submitter_v1
     set mark_offset = null, mark_update_id = null, mark_party = null, other_marks = '[]',
         generation = generation + 1, pinned_at = now()`;

/** `agrees` is asked with what it would do; false changes nothing. */
export async function remark(
  url: string,
  agrees: (preview: RemarkPreview) => Promise<boolean>,
  say: (line: string) => void,
): Promise<void> {
  await ofMigration(url, say, async (client) => {
    const read = async (): Promise<MarkTuple> => {
      const { rows } = await client.query<MarkTuple>(MARKS);
      const [marks] = rows;
      if (!marks?.mark_offset) throw new Refusal('refused: nothing is marked, so there is nothing to forget');
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
        await client.query(FORGET);
        await audit(client, 'remark', { ...now, other_marks: JSON.stringify(now.other_marks) });
      }),
    );
    say('forgotten; the next acceptance that the pinned participant shows is marked');
  });
}
