// What a failed statement means: the database was away or busy, it refused these values, or it is not ours to use.
import { StoreUnavailable } from '../core/errors.js';

export { StoreUnavailable };

/** SQLSTATE of an error from Postgres, else null. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  // EPIPE, EBADF and the like come from the socket, not from Postgres; a trigger's own code may be all letters.
  return typeof code === 'string' && /^(?!E[A-Z]+$)[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** A session in which nothing may be decided: a person has to change its role, or its pooler. */
export class UnfitSession extends StoreUnavailable {}

/** The wrong server: another host of the URL is the right one, or this one after it is promoted. */
export class WrongServer extends StoreUnavailable {}

/** Somebody else keeps a lock for longer than the `lock_timeout` of our function. */
export const LOCKED = '55P03';

/** A table, column or function is missing: `migrate` has not run, or not since this version. */
export const isNotMigrated = (error: unknown): boolean =>
  ['42P01', '42703', '42883'].includes(sqlState(error) ?? '');

/**
 * Classes and codes after which the same call may well succeed: connection (08), resources (53), shutdown and recovery
 * (57P), cancelled by a time-out (57014, 25P03, 25P04), locks (55P03), a server that takes no writes (25006, and 55000
 * for the lock that a standby does not give), I/O (58).
 */
const PASSING = /^(08|53|58|57P|57014|55P03|25006|25P0[34]|55000|40)/;
/** The server takes no writes: it was demoted, or the address moved and this session stayed behind. */
const TAKES_NO_WRITES = new Set(['25006', '55000']);
/** The transaction lost against another one and was rolled back completely. */
const LOST_RACE = new Set(['40001', '40P01']);
/**
 * Errors of the whole statement, whatever its rows: the database is not as `migrate` leaves it (42, 0A), we may not log in
 * (28, 3D), the transaction is of another kind than the functions allow (25), a bug of the server (XX). Anything else that
 * does not pass belongs to one row: its data (22), a constraint (23), its size (54), somebody else's trigger (P0, 38, 39).
 */
const WHOLE = /^(42|0A|28|3D|25|XX)/;

/** The URL names the wrong user or the wrong database, which waiting does not fix. */
const refusesLogin = (error: unknown): boolean => /^(28|3D)/.test(sqlState(error) ?? '');

/** What is wrong with the role or the URL, in words; null: neither is. `url`: without its password. */
export function roleProblem(error: unknown, url: string): string | null {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof UnfitSession || refusesLogin(error)) return `DATABASE_URL ${url}: ${reason}`;
  if (sqlState(error) !== '42501') return null;
  if (hidesRows(error)) return `DATABASE_URL ${url}: ${reason}: ${SEES_ALL}`;
  return `DATABASE_URL ${url}: ${reason}: docs/operations.md, "Privileges", lists what each role needs`;
}

/** Where Postgres raised it: known by the routine's name, since the message may be in any language. */
const raisedBy = (error: unknown, ...routines: readonly string[]): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'routine' in error &&
  routines.includes(String(error.routine));

const hidesRows = (error: unknown): boolean => raisedBy(error, 'check_enable_rls');

/** No number is left for another transaction until a vacuum has freed some: of class 54, as a value that is too long is. */
const assignsNoMore = (error: unknown): boolean =>
  raisedBy(error, 'GetNewTransactionId', 'GetNewMultiXactId');

const passes = (error: unknown, state: string): boolean => PASSING.test(state) || assignsNoMore(error);

/** What to do where row-level security hides rows from our role: transfers that we cannot see would never be sent. */
export const SEES_ALL =
  'row-level security hides rows from this role; give it BYPASSRLS, or take row-level security off the table';

/** Whoever holds this session is on the wrong server. */
export const takesNoWrites = (error: unknown): boolean => {
  const answer = error instanceof StoreUnavailable && error.cause !== undefined ? error.cause : error;
  return TAKES_NO_WRITES.has(sqlState(answer) ?? '');
};

export const lostRace = (error: unknown): boolean => LOST_RACE.has(sqlState(error) ?? '');

/** It belongs to one row: its data, a constraint, its size, somebody else's trigger. */
export function refusesValues(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && !passes(error, state) && !WHOLE.test(state);
}

/** For a caller that has one row in hands, which is not to blame: `StoreUnavailable`, too, where a person has to act first. */
export function notTheRows(error: unknown): unknown {
  if (!WHOLE.test(sqlState(error) ?? '')) return error;
  return new StoreUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
}

/**
 * Whatever is not an answer of Postgres (no SQLSTATE: sockets, DNS, time-outs of the driver), and every answer after which
 * trying again may help, becomes StoreUnavailable; a bug of ours stays what it is.
 */
export function toStoreError(error: unknown): unknown {
  if (error instanceof StoreUnavailable) return error;
  const state = sqlState(error);
  if (state !== null && !passes(error, state)) return error;
  if (
    state === null &&
    (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
  ) {
    return error;
  }
  return new StoreUnavailable(reasonOf(error), { cause: error });
}

/** The driver's message, with what to do about it where a setting is likely to be wrong. */
function reasonOf(error: unknown): string {
  // Where a name has several addresses, each fails with its own error, and the error of them all has no message.
  const one = error instanceof AggregateError ? error.errors.at(-1) : error;
  const message = one instanceof Error ? one.message : String(one);
  const code = one instanceof Error && 'code' in one ? String(one.code) : '';
  if (/client password must be a string|empty password/.test(message))
    return 'the server asks for a password, and the URL of the database has none';
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code))
    return `${message}: the server's certificate was issued by an authority that is unknown here; give its certificate as sslrootcert in the URL of the database`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${message}: the host in the URL of the database is not in the server's certificate`;
  if (/does not support SSL/.test(message))
    return `${message}: leave sslmode out of the URL of the database, or turn TLS on at the server`;
  if (['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'].includes(code))
    return `${message}: check host and port in the URL of the database`;
  if (/^Connection terminated unexpectedly|received invalid response/i.test(message))
    return `${message}: is it a PostgreSQL server, at this port?`;
  return message === '' ? 'the database cannot be reached' : message;
}
