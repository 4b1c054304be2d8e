/** What every request has to include. */
export interface LedgerSettings {
  /**
   * Part of the change ID that the participant deduplicates by. Throws before it is known (`identity.ts`): nothing
   * that needs it may start before then.
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

/** As in canton-middleware. */
export const defaultPackages: LedgerSettings['packages'] = {
  cip56: '#cip56-token',
  holding: '#splice-api-token-holding-v1',
  transfer: '#splice-api-token-transfer-instruction-v1',
};
