/** Identifiers that must never be mixed up. A brand costs nothing at run time, and a plain string does not compile. */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `mempool.id`, a Postgres bigint, in decimal. */
export type RowId = Brand<string, 'RowId'>;

/**
 * The fencing token of one claim (a random UUID). Proof that its holder may write the row (I2).
 * Only `store/rows.ts` mints one, from what the claim statement returned.
 */
export type ClaimToken = Brand<string, 'ClaimToken'>;

/** `0x` and the lower-case hex of `mempool.tx_hash`. It is the row's command id on the ledger, for ever. */
export type TxHash = Brand<string, 'TxHash'>;

/** A Canton party id, `name::fingerprint`, at most 255 characters. */
export type Party = Brand<string, 'Party'>;

/** A participant's offset: 0 is the beginning of the ledger. It can be larger than 2^53, hence bigint. */
export type Offset = bigint;

/** Milliseconds since the epoch on the database's clock (I7). Never compared with this process's clock. */
export type DbMillis = Brand<number, 'DbMillis'>;

/** Microseconds since the epoch, the precision of Canton's times. */
export type Micros = bigint;

/**
 * Do both ids mean the same synchronizer? A physical id is the logical one followed by protocol version and serial
 * (`…::35-0`), and participants from protocol version 35 on answer with either.
 */
export const sameSynchronizer = (one: string, other: string): boolean => logical(one) === logical(other);

/** `name::fingerprint`. */
const logical = (id: string): string => id.split('::', 2).join('::');

export const party = (text: string): Party => text as Party;
export const dbMillis = (ms: number): DbMillis => ms as DbMillis;
export const txHashOf = (bytes: Uint8Array): TxHash => `0x${Buffer.from(bytes).toString('hex')}` as TxHash;
export const DAY_MS = 86_400_000;
export const microsOf = (ms: number): Micros => BigInt(Math.round(ms)) * 1000n;
