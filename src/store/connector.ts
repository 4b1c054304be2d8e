// Where a session goes, and what it asks for: settings of a role, or of the database, are made for somebody else's
// statements. A session that cannot be as it must be is refused, in words that help.
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import { sqlState, UnfitSession, WrongServer } from './errors.js';
import { parseDatabaseUrl } from './url.js';

/** Longest that a statement may take, and that a transaction of ours may pause: 0 is no end. */
export interface SessionTimes {
  readonly statementMs: number;
  readonly idleInTransactionMs: number;
}

export interface Connector {
  /** Throws where a file that the URL names cannot be read right now. */
  config(): pg.ClientConfig;
  /** Place in the list of the host that `config` leads to. */
  at(): number;
  /** The next one from here on; nothing, where somebody else has moved on from `from` already. */
  leave(from: number): void;
  readonly hosts: number;
  /** A session that was just made: is it fit? Throws UnfitSession or WrongServer. */
  fit(client: pg.ClientBase): Promise<'ours' | 'pooled'>;
  /** The settings were refused at connect, as poolers do: from here on they are not asked for any more. */
  withoutSettings(): boolean;
}

/** Without `times`: no settings at all, for a session that only listens. */
export function createConnector(url: string, times: SessionTimes | null): Connector {
  const parsed = parseDatabaseUrl(url);
  if ('problem' in parsed) throw new ConfigError([`the URL of the database ${parsed.problem}`]);
  let place = 0;
  // What a pooler swallowed, or what the role has of its own, is not what we asked for: told apart by a word of ours.
  const word = randomBytes(8).toString('hex');
  let settings = times === null ? '' : settingsOf(times, word);
  return {
    config() {
      // As libpq and the driver have it: the environment's, where the URL says nothing.
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
      if (facts === undefined) throw new WrongServer('the server says nothing of itself');
      const { standby, read_only: readOnly } = facts;
      if (parsed.wanted !== 'any' && (standby || (readOnly && parsed.wanted === 'read-write'))) {
        throw new WrongServer(`${standby ? 'a standby' : 'read-only'} on host no. ${place + 1} of the URL`);
      }
      if (facts.word === word) {
        if (facts.transaction_timeout !== '0') await client.query('set transaction_timeout = 0');
        return 'ours';
      }
      if (times !== null && facts.isolation !== COMMITTED) throw new UnfitSession(isolated(facts));
      return 'pooled';
    },
    withoutSettings() {
      const had = settings !== '';
      settings = '';
      return had;
    },
  };
}

/** A pooler (PgBouncer: 08P01, RDS Proxy: 0A000) that takes no settings at connect. */
export const refusesSettings = (error: unknown): boolean =>
  ['08P01', '0A000'].includes(sqlState(error) ?? '');

/** What a session of several statements asks for where it could not at connect. They end with the transaction. */
export const localSettings = ({ statementMs, idleInTransactionMs }: SessionTimes): string =>
  `set local row_security = off; set local statement_timeout = ${statementMs}; set local lock_timeout = 0;
   set local idle_in_transaction_session_timeout = ${idleInTransactionMs};
   select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`;

/** The same for a session that is ours to its end. */
export const sessionSettings = ({ statementMs, idleInTransactionMs }: SessionTimes): string =>
  `set row_security = off; set default_transaction_isolation = 'read committed'; set statement_timeout = ${statementMs};
   set lock_timeout = 0; set idle_in_transaction_session_timeout = ${idleInTransactionMs};
   select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'`;

/** A blank within a value is escaped. */
const settingsOf = ({ statementMs, idleInTransactionMs }: SessionTimes, word: string): string =>
  [
    // Rows that a policy hides are an error then, not an empty queue.
    'row_security=off',
    'default_transaction_isolation=read\\ committed',
    `statement_timeout=${statementMs}`,
    // What must not wait for locks says so itself, in its function or its transaction.
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
  readonly transaction_timeout: string;
  readonly read_only: boolean;
  readonly standby: boolean;
  readonly role: string;
}

/** transaction_timeout is younger than the oldest server that we serve: it is not to be asked for at connect. */
const FACTS = `select current_setting('mempool_submitter.session', true) as word, current_setting('transaction_isolation') as isolation,
    coalesce(current_setting('transaction_timeout', true), '0') as transaction_timeout,
    current_setting('transaction_read_only') = 'on' as read_only, pg_is_in_recovery() as standby, current_user as role`;

const isolated = ({ isolation, role }: Facts): string =>
  `transactions of role ${role} are "${isolation}" by default, and a pooler keeps us from asking for another: alter role ${role} set default_transaction_isolation = 'read committed'`;
