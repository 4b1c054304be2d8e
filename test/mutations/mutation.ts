/** One mechanism taken out: the test named by `match` must fail then. */
export interface Mutation {
  /** Of the guarantee or history. */
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly put: string;
  readonly test: string;
  /** For ava's --match. */
  readonly match: string;
  /** What is gone. */
  readonly what: string;
}
