import test from 'ava';
import { storedKeys } from '../../src/store/users.js';
import { insertUser, prepared } from './support.js';

test('of the stored keys the newest twenty are read; users without one are passed over', async (t) => {
  const { database, query } = await prepared(t);
  t.deepEqual(await storedKeys(database), []);
  await insertUser(query, 'hosted');
  await insertUser(query, 'empty', { key: '' });
  for (let n = 1; n <= 22; n++) await insertUser(query, `u${n}`, { key: `key-${n}` });
  await insertUser(query, 'hosted-too');
  const read = (await storedKeys(database)).map((key) => key.reveal());
  t.deepEqual(
    read,
    Array.from({ length: 20 }, (_, index) => `key-${22 - index}`),
  );
});
