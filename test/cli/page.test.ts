// The page of a real instance: what it shows of the database, over connections of its own.
import test from 'ava';
import { openPage } from '../../src/cli/run/page.js';
import { loadConfig } from '../../src/config.js';
import { createSubmitter } from '../../src/submitter.js';
import { createWorld, DEMO } from '../support/world.js';

test('the page of an instance: rows in their token’s units, what to do, a story, the fleet; acts only with a token', async (t) => {
  const world = await createWorld(t);
  const { query, url } = world.db;
  const hash = await world.insert({
    from: `0x${'a'.repeat(40)}`,
    to: `0x${'b'.repeat(40)}`,
    amount: 1_250.5,
  });
  const failed = await world.insert({
    from: `0x${'a'.repeat(40)}`,
    to: `0x${'b'.repeat(40)}`,
    contract: `0x${'c'.repeat(40)}`,
  });
  await query(
    "update mempool set available_at = 'infinity', attempts = 20, last_error = 'BALANCE_HELD: locked until noon' where tx_hash = $1",
    [Buffer.from(hash.slice(2), 'hex')],
  );
  await query(
    "update mempool set status = 'failed', error_message = 'Insufficient balance.', last_error = 'INSUFFICIENT_BALANCE: 0' where tx_hash = $1",
    [Buffer.from(failed.slice(2), 'hex')],
  );
  const open = (env: Record<string, string>) => {
    const config = loadConfig({ ...world.sandbox.env, DATABASE_URL: url, INSTANCE_ID: 'one', ...env });
    const submitter = createSubmitter(config);
    const page = openPage(config, submitter);
    t.teardown(async () => {
      await submitter.stop();
      await page.close();
    });
    return page.source;
  };
  const source = open({});
  const { parked, failed: failures } = await source.lists();
  t.like(parked[0], { txHash: hash, token: 'DEMO', tokenAddress: DEMO, amount: '1250.5', state: 'parked' });
  t.regex(parked[0]?.advice?.toDo ?? '', /cannot spend it/);
  t.like(failures[0], { txHash: failed, token: `0x${'c'.repeat(40)}`, amount: '1000000000000000000' });
  t.like(parked[0], {
    advice: { commands: "`canton-submitter replay --parked --error 'BALANCE_HELD:'`" },
    mayReplay: true,
  });
  t.false(failures[0]?.mayReplay);
  t.regex(failures[0]?.advice?.toDo ?? '', /once the balance covers it/);

  const state = await source.state();
  t.is(state.level, 'person');
  t.like(state.queue, { parked: { rows: 1 } });
  t.true(state.problems.some(({ what }) => /1 row parked: BALANCE_HELD/.test(what)));
  t.like(await source.story(hash), { kind: 'row', row: { txHash: hash } });
  t.deepEqual(await source.story(`0x${'0'.repeat(64)}`), { kind: 'unknown' });
  await query("update mempool set last_error = 'TAMPERED: amount' where tx_hash = $1", [
    Buffer.from(hash.slice(2), 'hex'),
  ]);
  t.like(await source.story(hash), { row: { mayReplay: false, advice: { commands: null } } });
  t.is((await source.history()).rows.parked.length, 180);

  t.is(source.acts, null);
  t.false(state.mayAct);
  const acting = open({ ADMIN_TOKEN: 'long-enough-to-be-one' });
  const { acts } = acting;
  t.deepEqual((await acting.state()).pauses, []);
  const doing = { by: 'Jane', reason: 'unlocked' };
  t.like(await acts?.replay(hash, doing), { done: true });
  t.like(await acts?.replay(failed, doing), { done: false });
  t.like(await acts?.pauseRows({ scope: 'token', address: DEMO }, doing), { done: true });
  t.like((await acting.state()).pauses, [{ address: DEMO }], 'whoever acts sees what came of it');
  t.like(await acts?.resumeRows({ scope: 'token', address: DEMO }, doing), { done: true });
  t.like(await acts?.resumeRows({ scope: 'token', address: DEMO }, doing), { done: false });
});

test('a page says how old a count is, once it is older than it asks for', async (t) => {
  const world = await createWorld(t);
  const { query, url } = world.db;
  await world.insert({ from: `0x${'a'.repeat(40)}`, to: `0x${'b'.repeat(40)}` });
  const config = loadConfig({ ...world.sandbox.env, DATABASE_URL: url });
  const submitter = createSubmitter(config);
  const shown = async () => {
    const page = openPage(config, submitter);
    const { queueAgeMs, dueAgeMs } = await page.source.state();
    await page.close();
    return { queueAgeMs, dueAgeMs };
  };
  t.teardown(async () => void (await submitter.stop()));
  t.deepEqual(await shown(), { queueAgeMs: null, dueAgeMs: null });
  await query(
    `update mempool_samples_v1 set at = clock_timestamp(), sample = sample || jsonb_build_object(
       'tookMs', 1000000, 'dueAt', (sample->>'dueAt')::float8 - 60000)`,
  );
  const { queueAgeMs, dueAgeMs } = await shown();
  t.is(queueAgeMs, null);
  t.true((dueAgeMs ?? 0) >= 60_000);
  await query("update mempool_samples_v1 set at = clock_timestamp() - interval '20 s'");
  t.true(((await shown()).queueAgeMs ?? 0) >= 20_000);
});

test('/status and a scrape count nothing that an instance has counted for all already', async (t) => {
  const world = await createWorld(t);
  const { query, url } = world.db;
  await world.insert({ from: `0x${'a'.repeat(40)}`, to: `0x${'b'.repeat(40)}` });
  const submitter = createSubmitter(loadConfig({ ...world.sandbox.env, DATABASE_URL: url }));
  t.teardown(async () => void (await submitter.stop()));
  const { queue, due } = await submitter.snapshot();
  t.deepEqual([queue.waiting.rows, due.claimable], [1, 1]);
  await query(
    `update mempool_samples_v1 set at = clock_timestamp(), sample = jsonb_set(jsonb_set(jsonb_set(sample,
       '{queue,waiting,rows}', '70000'), '{due,claimable}', '7000'), '{tookMs}', '1000000')`,
  );
  const shared = await submitter.snapshot();
  t.deepEqual([shared.queue.waiting.rows, shared.due.claimable], [70_000, 7_000]);
  const scraped = await submitter.queue();
  t.deepEqual([scraped.queue.waiting.rows, scraped.due.claimable], [70_000, 7_000]);
});

test('a scrape tells rows that are paused from those that could be claimed, and since when', async (t) => {
  const world = await createWorld(t);
  const { query, url } = world.db;
  const submitter = createSubmitter(loadConfig({ ...world.sandbox.env, DATABASE_URL: url }));
  t.teardown(async () => void (await submitter.stop()));
  const paused = `0x${'a'.repeat(40)}`;
  await world.insert({ from: paused, to: `0x${'b'.repeat(40)}` });
  await world.insert({ from: `0x${'c'.repeat(40)}`, to: `0x${'b'.repeat(40)}` });
  await query(
    `insert into mempool_pauses_v1 (scope, address, reason, since)
     values ('sender', mempool_address_v1($1), 'asked', now() - interval '1 hour')`,
    [paused],
  );
  const { now, queue, due, pauses } = await submitter.queue();
  t.is(queue.waiting.rows, 2);
  t.like(due, { claimable: 1, paused: 1 });
  t.is(Math.round((now - (pauses[0]?.since ?? 0)) / 60_000), 60);
});
