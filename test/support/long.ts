/** `npm run test:long`: what is inherently long runs at its full length. `npm test` has the same in a smaller form. */
export const LONG = process.env.TEST_LONG === '1';
