// What bounds one database, by the figures of this very report, and the way past it.
import { shown } from './plot.js';
import type { Results } from './results.js';

const DAY_S = 86_400;
const MILLION_A_DAY = 1_000_000 / DAY_S;
const TEN_THOUSAND = 10_000;
/** A plan leaves room: so much of a core's time is used. */
const FILLED = 0.6;
/** A core of Postgres' machine, however many there are, has so much time a second. */
const CORE_MS = 1_000;

/** '' where the costs were not measured. */
export function goingFurther({ scenarios }: Results): string {
  const figure = (name: string, of: string): number | null => {
    const value = scenarios[name]?.systems.ours?.[of];
    return typeof value === 'number' ? value : null;
  };
  const postgres = figure('cost-hosted-backlog', 'postgresMs');
  const hosted = figure('cost-hosted-backlog', 'submitterMs');
  const external = figure('cost-external-backlog', 'submitterMs');
  const externalPostgres = figure('cost-external-backlog', 'postgresMs');
  const wal = figure('cost-external-backlog', 'walBytes');
  if (postgres === null || hosted === null || external === null || externalPostgres === null || wal === null)
    return '';
  const cores = (msARow: number, rate: number): string => shown((msARow * rate) / (CORE_MS * FILLED));
  const coreRate = (msARow: number): string => shown((CORE_MS * FILLED) / msARow);
  const line = (title: string, rate: number): string =>
    `| ${title} | ${shown(rate)} | ${cores(postgres, rate)}, ${cores(externalPostgres, rate)} | ${cores(hosted, rate)}, ${cores(external, rate)} | ${shown((wal * rate) / 2 ** 20)} |`;
  return `## Going further

What bounds one database is the CPU that a row costs it, not its locks: a claim stays flat in what is in the table, in flight and
waiting (scale), and inserts do not queue behind the bell (inserts). A row takes ${shown(postgres)} ms of Postgres where its sender is
hosted and ${shown(externalPostgres)} ms where it is external (its record is a statement of its own), so a core that is
${FILLED * 100} % busy carries ${coreRate(postgres)} and ${coreRate(externalPostgres)} rows a second. The instances cost
${shown(hosted)} and ${shown(external)} ms a row, and there may be as many of them as that takes.

| | rows/s | cores of Postgres, hosted and external | cores of instances, hosted and external | WAL, MiB/s |
|---|---:|---:|---:|---:|
${line('1,000,000 a day, evenly', MILLION_A_DAY)}
${line('1,000,000 a day, in two hours', 1_000_000 / 7_200)}
${line('10,000 a second', TEN_THOUSAND)}

The first two are one small server. The last is beyond one primary: long before its cores are used up, one stream of WAL has to be
synced and replicated. Rows of different senders have nothing to do with each other, so the way past it is to split by sender:

- **Several databases**, each with its own \`mempool\`, pinned row and fleet. The API chooses by a hash of the sender's address (by
  value, lower-cased), so a sender's lane, nonces and holdings stay in one place. Nothing of ours changes: every guarantee is a
  row's or a sender's, and the ledger's own deduplication is the participant's. The hash may not change while a row of a moved
  sender is pending. With n databases the table above is divided by n.
- **Not partitions**: \`migrate\` refuses a partitioned \`mempool\`. They would give no further core and no second stream of WAL, and
  the hashes of rows that go with a dropped partition would not be remembered, so the same bytes could be paid again.
- **Citus**, distributed by the sender's address, does the split within one name. Claims order rows across senders and use advisory
  locks, which are a node's own: an instance has to be pointed at one worker's shards, which is the first way with more parts.

A ledger's own limits come first in practice: 10,000 transfers a second are ${shown(TEN_THOUSAND * 10)} commits in flight at 10 s each,
${shown((TEN_THOUSAND * 10) / 2_000)} instances at 2,000 apiece (slow-ledger), and more than one participant.
`;
}
