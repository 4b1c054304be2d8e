// `migrate --down`: the table as canton-middleware made it. Refused while something that matters would be forgotten.
import { CommandRefused } from '../../core/errors.js';
import { isNotMigrated } from '../errors.js';
import { audit, BY_ITSELF, type Decided } from '../pins.js';
import { refuseWhileAtWork } from './at-work.js';
import { inSession, inTransaction, patiently } from './session.js';
import { functionsIn, readSqlSteps, triggersIn } from './sql-files.js';

/** Rows of which something would be forgotten. */
const UNFINISHED = `select count(*) filter (where lease_expires_at is not null or claim_token is not null)::int as claimed,
    count(*) filter (where sent_until is not null)::int as undecided,
    count(*) filter (where available_at = 'infinity')::int as parked
  from mempool where status = 'pending'`;

/** What the SQL files made, read from them, so that the two cannot drift apart. */
function downStatements(optionsBefore: readonly string[]): readonly string[] {
  const sql = readSqlSteps()
    .map((step) => step.sql)
    .join('\n');
  const all = (pattern: RegExp): string[] => [
    ...new Set([...sql.matchAll(pattern)].map((match) => match[1] ?? '')),
  ];
  const options = all(/\b(fillfactor|autovacuum_\w+) =/g);
  return [
    ...triggersIn(sql).map((name) => `drop trigger if exists ${name} on mempool`),
    ...all(/create (?:unique )?index concurrently if not exists (\w+)/g).map(
      (name) => `drop index if exists ${name}`,
    ),
    // In reverse: later ones depend on earlier ones.
    ...[...functionsIn(sql)].reverse().map((name) => `drop function if exists ${name}`),
    'alter table mempool drop constraint if exists mempool_record_v1',
    ...ownColumns(sql).map((name) => `alter table mempool drop column if exists ${name}`),
    `alter table mempool reset (${options.join(', ')})`,
    ...(optionsBefore.length > 0 ? [`alter table mempool set (${optionsBefore.join(', ')})`] : []),
    ...all(/comment on column mempool\.(\w+) is 'canton-middleware/g).map(
      (name) => `comment on column mempool.${name} is null`,
    ),
    // The audit stays, and so do the stories of rows, the memory of what has ended and the outbox: the next migrate finds them.
    'drop table if exists mempool_submitter_v1, mempool_instances_v1, mempool_pauses_v1, mempool_samples_v1',
  ];
}

/** Only the columns of mempool: some of the pinned row were added by `alter table` too. */
const ownColumns = (sql: string): string[] =>
  [...sql.matchAll(/alter table mempool\n(?: {2}add column [^;]*)/g)].flatMap(([text]) =>
    [...text.matchAll(/add column if not exists (\w+)/g)].map((match) => match[1] ?? ''),
  );

/** What is lost by it. */
export interface DownPreview {
  /** Rows whose update on the ledger is known. */
  readonly updates: number;
  readonly participant: string | null;
}

const TO_LOSE = `select (select count(*)::int from mempool m where m.update_id is not null) as updates, p.participant_id as participant,
    p.table_options_before as options from mempool_submitter_v1 p`;

/** `agrees` is asked with what would be lost; false changes nothing. */
export async function migrateDown(
  url: string,
  agrees: (preview: DownPreview) => Promise<boolean>,
  say: (line: string) => void,
  decided: Decided = BY_ITSELF,
): Promise<void> {
  await inSession(url, say, async (client) => {
    const refuseWhatMatters = async (): Promise<void> => {
      const { rows } = await client
        .query<{ claimed: number; undecided: number; parked: number }>(UNFINISHED)
        .catch((error: unknown) => {
          if (isNotMigrated(error))
            throw new CommandRefused('nothing to undo: mempool has none of our columns');
          throw error;
        });
      const [{ claimed, undecided, parked } = { claimed: 0, undecided: 0, parked: 0 }] = rows;
      if (claimed + undecided + parked > 0) {
        throw new CommandRefused(
          `refused: ${claimed} pending rows are claimed, ${undecided} undecided, ${parked} parked, and going back would forget what may be on its way to the ledger. Let the instances settle them, end the parked ones (\`replay\`, \`fail\`), then stop the instances and try again`,
        );
      }
      await refuseWhileAtWork(client);
    };
    const read = async (): Promise<DownPreview & { readonly options: readonly string[] | null }> => {
      const { rows } = await client.query<DownPreview & { options: string[] | null }>(TO_LOSE);
      return rows[0] ?? { updates: 0, participant: null, options: null };
    };
    await refuseWhatMatters();
    const { updates, participant } = await read();
    if (!(await agrees({ updates, participant }))) return say('nothing was changed');
    await patiently(say, () =>
      inTransaction(client, async () => {
        await client.query('lock table mempool in access exclusive mode');
        await refuseWhatMatters();
        const { options, ...lost } = await read();
        await audit(client, 'down', { ...lost }, decided);
        for (const statement of downStatements(options ?? [])) await client.query(statement);
      }),
    );
    say(
      'mempool is as it was before; users, mempool_submitter_audit_v1, mempool_attempts_v1, mempool_ended_v1 and the outbox (mempool_outbox_*) were left where they are',
    );
  });
}
