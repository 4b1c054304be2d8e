/**
 * Where a token's holdings keep owner, amount and so on, for transfers that are signed here: a prepared transaction has
 * the contracts themselves, without the views of the token standard. Paths of field labels: `amount.initialAmount`.
 */
export interface HoldingLayout {
  /** `Module:Entity`. */
  readonly template: string;
  readonly owner: string;
  readonly amount: string;
  readonly admin: string;
  /** Absent: the template has only one instrument. */
  readonly id?: string;
  /** Present in a locked holding, with `expiresAt` in it where the lock ends. Absent: its holdings are never locked. */
  readonly lock?: string;
}

/** One entry of `TOKENS_FILE`: what an ERC-20 contract address stands for on the ledger. */
export interface Token {
  /** As the file has it; rows match it in any case. */
  readonly address: string;
  readonly name: string;
  readonly symbol: string;
  /** The decimals of the ERC-20 amounts that wallets send, 0 to 18. */
  readonly decimals: number;
  /** Together with `instrumentId` it is the instrument: anybody may issue something with the same id. */
  readonly instrumentAdmin: string;
  readonly instrumentId: string;
  /** Where the admin's registry answers, for tokens that are not our issuer's. */
  readonly registryUrl?: string;
  /** 2: a transfer only makes an offer, which the receiver accepts later. */
  readonly steps: 1 | 2;
  /**
   * Its factory spends holdings whose lock has ended. Absent: a registry's factory does, as the token standard demands; our
   * own issuer's asserts that there is no lock.
   */
  readonly takesExpiredLocks?: boolean;
  /** How many holdings one transfer may spend. Absent: no limit for our own issuer's token, 100 for a registry's. */
  readonly maxInputs?: number;
  /** The operator's word that for this token an offer counts as `completed`. */
  readonly offerIsDone: boolean;
  /** For templates that are not known here. */
  readonly holding?: HoldingLayout;
}

/** By lower-case address. */
export type Tokens = ReadonlyMap<string, Token>;
