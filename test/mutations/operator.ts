// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// Sessions, servers and slips: what keeps money where a role, a pooler or a hand differs from what was meant.
import { entries, type Mutation } from './mutation.js';

const of = entries('operator', 'src/');
const sessions = of('test/store/sessions.test.ts');
const writer = of('test/store/writer.test.ts');
const slips = of('test/cli/slips.test.ts');
const roles = of('test/store/roles.test.ts');
const renewal = of('test/ledger/renewal.test.ts');
const moving = of('test/cli/import-config.test.ts');

export const operator: readonly Mutation[] = [
  moving(
    'cli/import-config/translate.ts',
    "const user = subject ? '' : canton.token.user_id;",
    'const user = canton.token.user_id || canton.identity.user_id;',
    'the ledger user is the one that the old submitter sends as*',
    'the leftovers of the old submitter are looked up as the user who sent them',
  ),
  roles(
    'store/privileges.ts',
    "mempool: { run: 'select, update', status: 'select' },",
    "mempool: { run: 'select, update, delete', status: 'select' },",
    'migrate, run, status and show work under the roles*',
    'the role of `run` cannot delete a row',
  ),
  roles(
    'store/privileges.ts',
    "mempool_submitter_audit_v1: { run: 'select, insert', status: 'select' },",
    "mempool_submitter_audit_v1: { run: 'select, insert' },",
    'migrate, run, status and show work under the roles*',
    'whoever may read the queue may read the story of a row',
  ),
  roles(
    'store/privileges.ts',
    "  mempool_ended_v1: { run: 'select', status: 'select' },\n",
    '',
    'every table and function of ours*',
    'each table of ours is in the list of privileges',
  ),
  sessions(
    'store/connector.ts',
    "    'row_security=off',\n",
    '',
    'row-level security: rows that a role*',
    'hidden rows are an error',
  ),
  sessions(
    'store/connector.ts',
    "    'default_transaction_isolation=read\\\\ committed',\n",
    '',
    'isolation: what the database has*',
    'a session asks for READ COMMITTED',
  ),
  sessions(
    'store/connector.ts',
    "    'array_nulls=on',\n    'extra_float_digits=1',\n",
    '',
    'formats: *',
    'a session reads and writes as it was proven to',
  ),
  sessions(
    'store/pool.ts',
    '`begin isolation level read committed${more}`',
    '`begin${more}`',
    'time-outs of a role, through a pooler*',
    'a transaction asks for READ COMMITTED',
  ),
  sessions(
    'store/pool.ts',
    'pooled.has(client) ? `; ${localSettings(times)}` : ',
    '',
    'time-outs of a role, through a pooler*',
    'a transaction through a pooler has its own settings',
  ),
  sessions(
    'store/connector.ts',
    'if (isolation !== COMMITTED)',
    "if (isolation === '')",
    'isolation: where a pooler keeps*',
    'a session that cannot be READ COMMITTED decides nothing',
  ),
  sessions(
    'store/migrate/session.ts',
    'if (!(await keepsItsServer(client, connector))) throw new CommandRefused(POOLED);',
    '',
    'a pooler in transaction mode*',
    'migrate refuses a pooler in transaction mode',
  ),
  sessions(
    'store/migrate/migrate.ts',
    'await seesAll(client);',
    '',
    'row-level security: migrate refuses too*',
    'a migration that does not see all rows is refused',
  ),
  of('test/store/discover.test.ts')(
    'store/migrate/discover.ts',
    'if (odd.length > 0)',
    'if (Date.now() < 0)',
    'migrate takes the tables as the API makes them*',
    'a view or a partitioned table is refused',
  ),
  of('test/store/discover.test.ts')(
    'store/migrate/discover.ts',
    'if (columns.length > 0) throw new ConfigError(columns);',
    '',
    'migrate takes the tables as the API makes them*',
    'a column of another type is refused before anything is changed',
  ),
  of('test/store/discover.test.ts')(
    'store/migrate/migrate.ts',
    'if (!options.create) await findTables(client, options.url, options.say);',
    '',
    'migrate makes no second queue*',
    'migrate makes no table unasked',
  ),
  writer(
    'store/pool.ts',
    'if (wrongServer) leave(from);',
    '',
    'one address that moves*',
    'a pool leaves a server that takes no writes',
  ),
  writer(
    'store/pins.ts',
    'database.leave();',
    '',
    'on a standby an outcome is kept*',
    'whoever reads the pins on a standby leaves it',
  ),
  writer(
    'store/errors.ts',
    '25P0[34]|55000|40)/',
    '25P0[34]|40)/',
    'on a standby an outcome is kept*',
    'the lock that a standby does not give is not held against a row (I9)',
  ),
  writer(
    'store/subscriber.ts',
    'database.onLeft(() => ask());',
    '',
    'several hosts*',
    'LISTEN follows the pool',
  ),
  writer(
    'store/url.ts',
    "return hosts > 1 ? 'read-write' : 'any';",
    "return 'any';",
    'several hosts*',
    'of several hosts, the one that takes writes',
  ),
  slips(
    'observe/log.ts',
    "file.on('error', () => {});",
    '',
    'the service goes on*',
    'a full disk under the log does not end the service',
  ),
  slips(
    'cli/enqueue.ts',
    'const output = worksOnUnheard();',
    'const output = { lost: () => null };',
    'a reader that is gone*',
    'a batch goes in, whoever reads of it',
  ),
  slips(
    'cli/support/confirm.ts',
    "terminal.once('close', () => resolve(''));",
    '',
    'a question that is not answered*',
    'no answer counts as a no',
  ),
  renewal(
    'ledger/channel.ts',
    'if (begun && !isReady && !stopped && tell.renewed()) tell.replace();',
    'if (false) tell.replace();',
    'a client certificate and an authority*',
    'renewed certificates serve the next connection',
  ),
  renewal(
    'ledger/channel.ts',
    'if (dropped < 2) {',
    'if (dropped < 1e9) {',
    'a connection that is served and dropped*',
    'a connection that is dropped at once is made again later',
  ),
  of('test/ledger/renewal-https.test.ts')(
    'ledger/fetch.ts',
    'through === undefined ? {} : { dispatcher: through }',
    'through === undefined || Date.now() > 0 ? {} : { dispatcher: through }',
    'an authority that is renewed on disk*',
    'registry and token endpoint trust what was renewed',
  ),
  of('test/runtime/again.test.ts')(
    'runtime/again.ts',
    'if (timer !== null) return;',
    '',
    'one try at a time*',
    'failures do not multiply tries',
  ),
];
