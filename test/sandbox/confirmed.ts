// Hashes are confirmed once a file's tests are over: what is prepared has to be executed within milliseconds here.
import test from 'ava';
import { confirmHash } from '../support/official-hash.js';

const prepared: Uint8Array[] = [];

export const confirmLater = (transaction: Uint8Array): void => {
  prepared.push(transaction);
};

test.after('the official package confirms the hash of whatever was prepared', async () => {
  for (const transaction of prepared) await confirmHash(transaction);
});
