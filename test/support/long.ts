import test, { type ExecutionContext } from 'ava';

/** `npm run test:long`: what is inherently long runs at its full length. `npm test` has the same in a smaller form. */
export const LONG = process.env.TEST_LONG === '1';

/** What `npm test` leaves out: a span that is the product's own, and long. */
export function atLength(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (LONG) test(title, body);
}
