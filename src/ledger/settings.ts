/** What every request needs to say. */
export interface LedgerSettings {
  /**
   * Part of the change ID that the participant deduplicates by. Throws before it is known (`identity.ts`): what needs it
   * is not to be begun then.
   */
  readonly userId: string;
  readonly synchronizerId: string;
  readonly issuerParty: string;
  /** `#name` or a package id. */
  readonly packages: {
    readonly cip56: string;
    readonly holding: string;
    readonly transfer: string;
  };
}

/** canton-middleware's. */
export const defaultPackages: LedgerSettings['packages'] = {
  cip56: '#cip56-token',
  holding: '#splice-api-token-holding-v1',
  transfer: '#splice-api-token-transfer-instruction-v1',
};
