// Contract ids shaped like Canton's: a version byte and a discriminator, then a suffix that the ledger adds when the
// transaction is sequenced. Contracts that a prepared transaction creates have no suffix yet.

const VERSION = '00';
const SUFFIX = 'ca11122000000000';

/** From 64 hex digits. */
export function localContractId(discriminator: string): string {
  return VERSION + discriminator;
}

export function suffixed(localId: string): string {
  return localId + SUFFIX;
}
