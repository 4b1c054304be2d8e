// Which host a session goes to, and which settings it asks for: those of the role or the database were made for somebody
// else's statements. A session that cannot have the settings it needs is refused, with what to do about it.
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import { sqlState, UnfitSession, WrongServer } from './errors.js';
import { parseDatabaseUrl } from './url.js';

/** How long a statement may take, and how long a transaction of ours may pause; 0: without limit. */
export interface SessionTimes {
  readonly statementMs: number;
  readonly idleInTransactionMs: number;
}

export interface Connector {
  /** Throws where a file that the URL names cannot be read at the moment. */
  config(): pg.ClientConfig;
  /** The place, in the list of hosts, of the one that `config` leads to. */
  at(): number;
  /** Moves on to the next host, unless somebody else has moved on from `from` already. */
  leave(from: number): void;
  readonly hosts: number;
  /** Checks a session that was just made. Throws UnfitSession or WrongServer. */
  fit(client: pg.ClientBase): Promise<'ours' | 'pooled'>;
  /** The settings were refused at connect, as poolers do: stops asking for them. False: it had stopped before. */
  withoutSettings(): boolean;
}

/** `times` null: no settings at all, for a session that only listens. */
export function createConnector(url: string, times: SessionTimes | null): Connector {
  const parsed = parseDatabaseUrl(url);
  if ('problem' in parsed) throw new ConfigError([`the URL of the database ${parsed.problem}`]);
  let place = 0;
  // A setting with a random value shows whether ours arrived, or a pooler swallowed them.
  const word = randomBytes(8).toString('hex');
  let settings = times === null ? '' : settingsOf(times, word);
  return {
    config() {
      // Like libpq and the driver: those of the environment, where the URL has none.
      const given = parsed.options === '' ? (process.env.PGOPTIONS ?? '') : parsed.options;
      const options = [given, settings].filter((one) => one !== '').join(' ');
      const host = parsed.hosts[place] ?? parsed.hosts[0];
      return { connectionString: parsed.of(host), ...(options === '' ? {} : { options }) };
    },
    at: () => place,
    leave(from) {
      if (from === place) place = (place + 1) % parsed.hosts.length;
    },
    hosts: parsed.hosts.length,
    async fit(client) {
      const { rows } = await client.query<Facts>(FACTS);
      const [facts] = rows;
      if (facts === undefined) throw new WrongServer('the server did not answer what it is');
      const { standby, read_only: readOnly } = facts;
      if (parsed.wanted !== 'any' && (standby || (readOnly && parsed.wanted === 'read-write'))) {
        throw new WrongServer(`host no. ${place + 1} of the URL is ${standby ? 'a standby' : 'read-only'}`);
      }
      if (facts.word === word) {
        if (facts.transaction_timeout !== '0') await client.query('set transaction_timeout = 0');
        return 'ours';
      }
      const unfit = times === null ? null : unfitting(facts);
      if (unfit !== null) throw new UnfitSession(unfit);
      return 'pooled';
    },
    withoutSettings() {
      const had = settings !== '';
      settings = '';
      return had;
    },
  };
}

/** The answer of a pooler that takes no settings at connect (PgBouncer: 08P01, RDS Proxy: 0A000). */
export const refusesSettings = (error: unknown): boolean =>
  ['08P01', '0A000'].includes(sqlState(error) ?? '');

/** The same settings for one transaction, where they could not be asked for at connect. */
export const localSettings = ({ statementMs, idleInTransactionMs }: SessionTimes): string =>
  `set local row_security = off; set local array_nulls = on; set local extra_float_digits = 1;
   set local statement_timeout = ${statementMs}; set local lock_timeout = 0;
   set local idle_in_transaction_session_timeout = ${idleInTransactionMs};
   select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`;

/** The same for the rest of a session that is ours alone. */
export const sessionSettings = ({ statementMs, idleInTransactionMs }: SessionTimes): string =>
  `set row_security = off; set default_transaction_isolation = 'read committed'; set array_nulls = on;
   set extra_float_digits = 1; set statement_timeout = ${statementMs};
   set lock_timeout = 0; set idle_in_transaction_session_timeout = ${idleInTransactionMs};
   select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'`;

/** As options of the connection; a blank within a value is escaped. */
const settingsOf = ({ statementMs, idleInTransactionMs }: SessionTimes, word: string): string =>
  [
    // A policy that hides rows then causes an error, instead of an empty queue.
    'row_security=off',
    'default_transaction_isolation=read\\ committed',
    // Outcomes are written as arrays, with nulls in them, and times are read as numbers of ms.
    'array_nulls=on',
    'extra_float_digits=1',
    `statement_timeout=${statementMs}`,
    // A function or a transaction that must not wait for locks sets this itself.
    'lock_timeout=0',
    `idle_in_transaction_session_timeout=${idleInTransactionMs}`,
    `mempool_submitter.session=${word}`,
  ]
    .map((one) => `-c ${one}`)
    .join(' ');

const COMMITTED = 'read committed';

interface Facts {
  readonly word: string | null;
  readonly isolation: string;
  readonly array_nulls: string;
  readonly float_digits: number;
  readonly transaction_timeout: string;
  readonly read_only: boolean;
  readonly standby: boolean;
  readonly role: string;
}

/** transaction_timeout is newer than the oldest server that we support, so it cannot be set at connect. */
const FACTS = `select current_setting('mempool_submitter.session', true) as word, current_setting('transaction_isolation') as isolation,
    current_setting('array_nulls') as array_nulls, current_setting('extra_float_digits')::int as float_digits,
    coalesce(current_setting('transaction_timeout', true), '0') as transaction_timeout,
    current_setting('transaction_read_only') = 'on' as read_only, pg_is_in_recovery() as standby, current_user as role`;

/** What a pooler kept us from asking for, and is not as it has to be. From 15 digits on, a time keeps its milliseconds. */
function unfitting({ isolation, array_nulls, float_digits, role }: Facts): string | null {
  const instead = (setting: string, value: string): string =>
    `and a pooler keeps us from changing that: alter role ${role} set ${setting} = ${value}`;
  if (isolation !== COMMITTED)
    return `transactions of role ${role} are "${isolation}" by default, ${instead('default_transaction_isolation', `'${COMMITTED}'`)}`;
  if (array_nulls !== 'on')
    return `array_nulls of role ${role} is ${array_nulls}, ${instead('array_nulls', 'on')}`;
  if (float_digits < 0)
    return `extra_float_digits of role ${role} is ${float_digits}, ${instead('extra_float_digits', '1')}`;
  return null;
}
