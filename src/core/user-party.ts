/** What the API's table `users` says of one user. */
export interface UserParty {
  readonly address: string;
  readonly party: string;
  /** The participant acts for it; otherwise its own key signs. */
  readonly hosted: boolean;
}
