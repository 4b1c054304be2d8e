/** One mechanism taken out: the test named by `match` must fail then. */
export interface Mutation {
  /** The guarantee or history that it belongs to. */
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

type Entry = (file: string, find: string, put: string, match: string, what: string) => Mutation;

/** For many entries of one name, their files in one folder: `entries('operator', 'src/')(test)(file, find, …)`. */
export const entries =
  (name: string, folder = '') =>
  (test: string): Entry =>
  (file, find, put, match, what) => ({ name, file: `${folder}${file}`, find, put, test, match, what });
