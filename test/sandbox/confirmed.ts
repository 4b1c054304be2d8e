// Hashes are confirmed once a file's tests are over: what is prepared has to be executed within milliseconds here.
import test from 'ava';
import { confirmHash } from '../support/official-hash.js';
// It awaits: what does not wait for it too is evaluated earlier, and a hook has to be declared in one go with the tests.
import '../support/pace.js';

const prepared: Uint8Array[] = [];

export const confirmLater = (transaction: Uint8Array): void => {
  prepared.push(transaction);
};

test.after('the official package confirms the hash of whatever was prepared', async () => {
  for (const transaction of prepared) await confirmHash(transaction);
});
