// A server that takes no writes any more, and several hosts in one URL: the pool, the pins and LISTEN find the writer.
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { ClaimToken, RowId, TxHash } from '../../src/core/ids.js';
import { refusesValues, takesNoWrites, toStoreError } from '../../src/store/errors.js';
import { migrate } from '../../src/store/migrate/migrate.js';
import { type Database, openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { createSubscriber } from '../../src/store/subscriber.js';
import { startProxy } from '../support/proxy.js';
import { type ReplicatedPostgres, startReplicatedPostgres } from '../support/replicated-postgres.js';
import { eventually, LEASE_MS, migrateOptions } from './support.js';

const SERVER = { text: "select current_setting('port') as port" };
const portOf = (url: string): string => new URL(url).port;

/** One URL with both, in this order. */
function hosts(first: string, second: string, more = ''): string {
  const at = (url: string): string => `127.0.0.1:${portOf(url)}`;
  const { username, password, pathname } = new URL(first);
  return `postgres://${username}:${password}@${at(first)},${at(second)}${pathname}${more}`;
}

function opened(t: ExecutionContext, url: string) {
  const database = openDatabase({ url });
  t.teardown(() => database.close());
  const store = createStore(database);
  const claim = async () =>
    (
      await store.claim({
        holder: 'h',
        limit: 1,
        leaseMs: LEASE_MS,
        generation: 1n,
        sentFrom: 1n,
        windowMs: 30_000,
      })
    ).kind;
  const port = async () => (await database.run<{ port: string }>(SERVER, []))[0]?.port;
  return { database, store, claim, port };
}

/** A listener whose canaries are far apart: what finds the writer is that the pool has left its server. */
async function listening(t: ExecutionContext, url: string, database: Database) {
  const subscriber = createSubscriber({
    listenUrl: url,
    database,
    instance: 'me',
    canaryIntervalMs: 600_000,
    emit: () => {},
  });
  t.teardown(() => subscriber.stop());
  await subscriber.start(() => {});
  return subscriber;
}

/** Every connection of the pool is made: four transactions at once, none of which ends before all have begun. */
async function filled(database: Database): Promise<void> {
  let begun = 0;
  let all = (): void => {};
  const together = new Promise<void>((resolve) => {
    all = resolve;
  });
  const one = () =>
    database.transaction(async () => {
      begun += 1;
      if (begun === 4) all();
      await together;
    });
  await Promise.all([one(), one(), one(), one()]);
}

const LISTENERS = { text: "select pid from pg_stat_activity where application_name = 'me listen'" };

/** The old primary takes no writes any more, and keeps every connection, as some switchovers do. */
async function switchOver(t: ExecutionContext, servers: ReplicatedPostgres): Promise<void> {
  const old = opened(t, servers.primaryUrl).database;
  await old.run({ text: 'alter system set default_transaction_read_only = on' }, []);
  await old.run({ text: 'select pg_reload_conf()' }, []);
  await servers.promote();
}

test('several hosts: the one that takes writes is found, in whatever order, and again after a switchover that cut no connection', async (t) => {
  const servers = await startReplicatedPostgres(t);
  const url = hosts(servers.standbyUrl, servers.primaryUrl);
  await migrate(migrateOptions(url));
  await servers.caughtUp();
  const { database, store, claim, port } = opened(t, url);
  t.is(await port(), portOf(servers.primaryUrl));
  t.is(await claim(), 'claimed');
  t.is(await opened(t, `${url}?target_session_attrs=any`).port(), portOf(servers.standbyUrl));
  await listening(t, url, database);
  const onNew = opened(t, servers.standbyUrl).database;
  const onOld = opened(t, servers.primaryUrl).database;
  await eventually(
    async () => (await onOld.run(LISTENERS, [])).length,
    (there) => there === 1,
  );
  t.is((await onNew.run(LISTENERS, [])).length, 0);

  await switchOver(t, servers);
  // An empty claim notices nothing; the pins are read every few seconds.
  const pins = await eventually(
    () => store.pinned(),
    (pinned) => pinned?.database?.timeline !== pinned?.answeringDatabase?.timeline,
  );
  t.truthy(pins);
  t.is(await claim(), 'stale', 'on another timeline, which is to be rechecked first');
  t.is(await port(), portOf(servers.standbyUrl));
  t.is(
    await eventually(
      async () => (await onNew.run(LISTENERS, [])).length,
      (there) => there === 1,
    ),
    1,
  );
});

test('one address that moves: the pool that stayed on the old server leaves it, at the first answer that says so', async (t) => {
  const servers = await startReplicatedPostgres(t);
  await migrate(migrateOptions(servers.primaryUrl));
  await servers.caughtUp();
  const address = await startProxy(t, servers.primaryUrl);
  const { claim, port, database, store } = opened(t, address.through(servers.primaryUrl));
  await filled(database);
  t.is(await claim(), 'claimed');
  address.lead(servers.standbyUrl);
  await switchOver(t, servers);
  const error = await t.throwsAsync(
    async () => {
      for (;;) await store.rescue();
    },
    { instanceOf: StoreUnavailable },
  );
  t.regex(error.message, /read-only transaction/);
  for (let n = 0; n < 4; n++) t.is(await port(), portOf(servers.standbyUrl));
});

test('on a standby an outcome is kept, not refused as one row’s trouble, and whoever reads the pins leaves it', async (t) => {
  const servers = await startReplicatedPostgres(t);
  await migrate(migrateOptions(servers.primaryUrl));
  await servers.caughtUp();
  const address = await startProxy(t, servers.standbyUrl);
  const { store, claim, port } = opened(t, address.through(servers.standbyUrl));
  const error = await t.throwsAsync(claim, { instanceOf: StoreUnavailable });
  t.true(takesNoWrites(error));
  t.false(refusesValues((error as StoreUnavailable).cause));
  await t.throwsAsync(
    () =>
      store.settle([
        {
          id: '1' as RowId,
          txHash: '0x' as TxHash,
          token: randomUUID() as ClaimToken,
          verdict: { kind: 'failed', message: 'no', detail: 'no' },
          under: { generation: 1n, bound: null },
        },
      ]),
    { instanceOf: StoreUnavailable },
  );
  t.is(await port(), portOf(servers.standbyUrl));
  address.lead(servers.primaryUrl);
  await t.throwsAsync(() => store.pinned(), { instanceOf: StoreUnavailable, message: /standby/ });
  t.is(await port(), portOf(servers.primaryUrl));
});

test('a database that assigns no more numbers to transactions is away, and its rows are not to blame', (t) => {
  const error = (routine: string) => Object.assign(new Error('x'), { code: '54000', routine });
  for (const routine of ['GetNewTransactionId', 'GetNewMultiXactId']) {
    t.true(toStoreError(error(routine)) instanceof StoreUnavailable);
    t.false(refusesValues(error(routine)));
  }
  // Too large for an index.
  t.true(refusesValues(error('_bt_check_third_page')));
});
