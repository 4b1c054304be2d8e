import test from 'ava';

/** `npm run test:long`: what is inherently long runs at its full length. `npm test` has the same in a smaller form. */
export const LONG = process.env.TEST_LONG === '1';

/** What `npm test` leaves out: of a span that is the product's own, or of what hardly ever changes and takes long to compare. */
export const atLength = LONG ? test : test.skip;
