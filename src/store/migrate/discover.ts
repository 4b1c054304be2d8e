// Where the API's tables are. A table that is not found is not made: with the wrong database name or schema, that would be a
// second queue, which nobody fills.
import pg from 'pg';
import { ConfigError } from '../../core/errors.js';
import { parseDatabaseUrl } from '../url.js';

const NEEDED = ['mempool', 'users'] as const;

/** Those that the session's search_path does not show. */
const MISSING = 'select n as name from unnest($1::text[]) n where to_regclass(n) is null';

/** Those that are not ordinary tables: indexes and guard cannot be put on them, or not without locking everybody out. */
const NO_TABLE = `select n as name, case c.relkind when 'p' then 'a partitioned table' when 'f' then 'a foreign table' else 'a view' end as kind
    from unnest($1::text[]) n join pg_class c on c.oid = to_regclass(n) where c.relkind <> 'r'`;

/** What our functions read of the API's columns. Texts and times of every kind will do; S and D are Postgres's categories of them. */
const COLUMNS: ReadonlyArray<readonly [table: string, type: string, columns: readonly string[]]> = [
  ['mempool', 'bigint', ['id', 'nonce']],
  ['mempool', 'bytea', ['tx_hash', 'amount_data']],
  ['mempool', 'S', ['from_address', 'contract_address', 'recipient_address', 'status', 'error_message']],
  ['mempool', 'D', ['created_at', 'updated_at']],
  ['users', 'bigint', ['id']],
  [
    'users',
    'S',
    ['evm_address', 'canton_party', 'canton_party_id', 'canton_private_key_encrypted', 'key_mode'],
  ],
];
const WORDS: Readonly<Record<string, string>> = { S: 'text', D: 'timestamptz' };

/** Columns that are missing, or of a type for which every claim would be refused. */
const ODD_COLUMNS = `select n as name, w as wanted, format_type(a.atttypid, a.atttypmod) as type
    from unnest($1::text[], $2::text[], $3::text[]) u(t, n, w)
    left join pg_attribute a on a.attrelid = to_regclass(t) and a.attname = n and not a.attisdropped
    left join pg_type y on y.oid = a.atttypid
   where a.attname is null or not (y.typcategory::text = w and y.typname not in ('time', 'timetz') or format_type(y.oid, null) = w)`;

async function oddColumns(client: pg.Client): Promise<string[]> {
  const all = COLUMNS.flatMap(([table, type, columns]) =>
    columns.map((name) => [table, name, type] as const),
  );
  const { rows } = await client.query<{ name: string; wanted: string; type: string | null }>(ODD_COLUMNS, [
    all.map(([table]) => table),
    all.map(([, name]) => name),
    all.map(([, , type]) => type),
  ]);
  return rows.map(({ name, wanted, type }) => {
    const table = all.find(([, column]) => column === name)?.[0] ?? '';
    const is = type === null ? 'is missing' : `is ${type}`;
    return `column ${name} of ${table} ${is}, where ${WORDS[wanted] ?? wanted} is needed; nothing was changed`;
  });
}

/** Every table of that name that looks like the API's, in any schema, with the server's estimate of its rows. */
const FOUND = `select quote_ident(n.nspname) as schema, greatest(c.reltuples, 0)::float8 as rows,
      pg_table_is_visible(c.oid) as visible
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relname = 'mempool' and c.relkind in ('r', 'p')
     and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tx_hash' and not a.attisdropped)
   order by 1`;

const HERE = `select current_database() as database, quote_ident(current_user) as role, current_setting('search_path') as path`;

/** Other databases, one of which may have been meant. */
const OTHERS = `select datname as name from pg_database
   where datallowconn and not datistemplate and datname <> current_database() order by datname limit 20`;

interface Found {
  readonly schema: string;
  readonly rows: number;
  readonly visible: boolean;
}

/** Throws ConfigError, with what was found where, unless both tables are there. Mentions a second queue where there is one. */
export async function findTables(client: pg.Client, url: string, say: (line: string) => void): Promise<void> {
  const missing = await client.query<{ name: string }>(MISSING, [NEEDED]);
  const { rows: found } = await client.query<Found>(FOUND);
  if (missing.rows.length === 0) {
    const { rows: odd } = await client.query<{ name: string; kind: string }>(NO_TABLE, [NEEDED]);
    if (odd.length > 0)
      throw new ConfigError(
        odd.map(
          ({ name, kind }) => `${name} is ${kind}, where an ordinary table is needed; nothing was changed`,
        ),
      );
    const columns = await oddColumns(client);
    if (columns.length > 0) throw new ConfigError(columns);
    for (const other of found.filter(({ visible }) => !visible))
      say(
        `note: schema ${other.schema} has a table mempool too, with about ${other.rows} rows; it is left alone`,
      );
    return;
  }
  const { rows: here } = await client.query<{ database: string; role: string; path: string }>(HERE);
  const { database = '', role = '', path = '' } = here[0] ?? {};
  const { rows: others } = await client.query<{ name: string }>(OTHERS);
  const elsewhere: string[] = [];
  for (const { name } of others) elsewhere.push(`database ${name}: ${await inside(client, url, name)}`);
  const hidden = found.find(({ visible }) => !visible);
  const names = missing.rows.map(({ name }) => name).join(' and ');
  throw new ConfigError([
    [
      `there is no table ${names} in database ${database} where search_path (${path}) leads. Looked in:`,
      `database ${database}: ${listed(found)}`,
      ...elsewhere,
      hidden !== undefined
        ? `For another schema: alter role ${role} in database "${database}" set search_path = ${hidden.schema}, for the service's role too.`
        : 'The API makes its tables at its own start; DATABASE_URL has to name its database.',
      'To have the tables made here anyway, for a trial without the API: migrate --create',
    ].join('\n    '),
  ]);
}

const listed = (found: readonly Found[]): string =>
  found.length === 0
    ? 'no table mempool'
    : found.map(({ schema, rows }) => `schema ${schema} has mempool, with about ${rows} rows`).join('; ');

const DISCOVER_MS = 3_000;

/** What is in another database, with the same user and password. */
async function inside({ host, port }: pg.Client, url: string, database: string): Promise<string> {
  const parsed = parseDatabaseUrl(url);
  if ('problem' in parsed) return 'was not looked at';
  const config = {
    connectionString: parsed.of({ host, port }, database),
    connectionTimeoutMillis: DISCOVER_MS,
  };
  const client = new pg.Client({ ...config, query_timeout: DISCOVER_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    return listed((await client.query<Found>(FOUND)).rows);
  } catch (error) {
    return `could not be looked at (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    await client.end().catch(() => {});
  }
}
