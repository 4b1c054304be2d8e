// One process of the stress: an API that inserts out of order, an operator who parks and replays, a submitter that
// claims, looks, renews, settles late or not at all, and a poll that rescues. It is killed at any moment.
import { createHash, randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { party } from '../../src/core/ids.js';
import type { ClaimReply } from '../../src/ports/store.js';
import type { ClaimedRow, SubmissionRecord } from '../../src/protocol/record.js';
import { settlementOf } from '../../src/protocol/settlement.js';
import type { Verdict } from '../../src/protocol/verdict.js';
import { replay } from '../../src/store/operator/replay.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { type Claimed, type Kind, LEASE_MS, openJournal } from './journal.js';

const [url = '', folder = '', me = '', life = ''] = process.argv.slice(2);
/** On the machine's clock; told when enough has happened. */
let until = Number.POSITIVE_INFINITY;
process.once('message', (end) => {
  until = Number(end);
});
process.once('disconnect', () => process.exit());
const journal = openJournal(openSync(path.join(folder, `${me}.${life}.jsonl`), 'a'), `${me}.${life}`);
const database = openDatabase({ url, poolSize: 6 });
const store = createStore(database);
const pool = new pg.Pool({ connectionString: url, max: 2 });

const between = (low: number, high: number): number => low + Math.floor(Math.random() * (high - low + 1));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const left = (): number => until - Date.now();
/** Three in ten rows are one sender's, the rest of 60; half of them hosted, so that claims write records. */
const anySender = (): string =>
  `0x${createHash('md5')
    .update(Math.random() < 0.3 ? 'hot' : `s${between(1, 60)}`)
    .digest('hex')}`;

async function inserts(): Promise<void> {
  while (left() > 1_000) {
    const sender = anySender();
    const nonce = Math.floor((Date.now() - 1.7e12) / 50) + between(-40, 40);
    const slow = Math.random() < 0.3;
    await journal.op({ op: 'insert' }, async () => {
      const client = await pool.connect();
      try {
        if (slow) await client.query('begin');
        const { rows } = await client.query<{ id: string }>(
          `insert into mempool (tx_hash, from_address, contract_address, recipient_address, nonce, input, amount_data)
           values ($1, $2, 'c', 'r', $3, '', '\\x01') returning id`,
          [randomBytes(32), sender, nonce],
        );
        if (slow) {
          await pause(between(1, 40));
          if (Math.random() < 0.05) {
            await client.query('rollback');
            return {};
          }
          await client.query('commit');
        }
        return { inserted: { id: rows[0]?.id ?? '', sender, nonce: String(nonce) } };
      } finally {
        client.release();
      }
    });
    await pause(between(0, 25));
  }
}

async function operates(): Promise<void> {
  while (left() > 500) {
    await pause(between(10, 120));
    if (Math.random() < 0.35) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from mempool where status = 'pending' and available_at < 'infinity' and random() < 0.2 limit $1`,
        [between(1, 3)],
      );
      const ids = rows.map((row) => row.id);
      await journal.op({ op: 'park', ids }, async () => {
        const parked = await pool.query<{ id: string }>(
          `with r as materialized (select id from mempool where id = any ($1::bigint[]) and status = 'pending' order by id for update)
           update mempool m set available_at = 'infinity' from r where m.id = r.id returning m.id`,
          [ids],
        );
        return { changed: parked.rows.map((row) => row.id) };
      });
    } else {
      const { rows } = await pool.query<{ id: string; hash: string }>(
        `select id, '0x' || encode(tx_hash, 'hex') as hash from mempool
          where status = 'pending' and available_at = 'infinity' order by random() limit 1`,
      );
      for (const { id, hash } of rows) {
        await journal.op({ op: 'replay', ids: [id] }, async () => ({
          changed: (await replay(database, { hash: hash as never, parked: true }, { dryRun: false })).map(
            () => id,
          ),
        }));
      }
    }
  }
}

const note = (reply: ClaimReply): Claimed[] =>
  reply.kind === 'stale'
    ? []
    : reply.rows.map(({ row, token, ...rest }) => ({
        id: row.id,
        sender: row.fromAddress,
        nonce: String(row.nonce),
        token,
        undecided: rest.kind === 'undecided' || rest.own !== null,
        leaseUntil: reply.now + LEASE_MS,
      }));

interface Ending {
  readonly one: ClaimedRow;
  readonly kind: Kind;
  readonly verdict: Verdict;
  readonly delay: number;
}

const retry = (one: ClaimedRow, record: 'clear' | 'keep', delay: number): Ending => ({
  one,
  kind: record === 'keep' ? 'unknown' : 'retry',
  verdict: { kind: 'pending', record, wait: delay === 0 ? 'now' : delay, attempts: 0, lastError: null },
  delay,
});
const park = (one: ClaimedRow, record: 'clear' | 'keep'): Ending => ({
  one,
  kind: 'parked',
  verdict: { kind: 'pending', record, wait: 'parked', attempts: 0, lastError: 'parked' },
  delay: 0,
});
const over = (one: ClaimedRow): Ending =>
  Math.random() < 0.2
    ? { one, kind: 'failed', verdict: { kind: 'failed', message: 'no', detail: 'NO: no' }, delay: 0 }
    : {
        one,
        kind: 'completed',
        verdict: { kind: 'completed', updateId: 'u', offset: 1n, note: null },
        delay: 0,
      };

async function settle(endings: readonly Ending[]): Promise<void> {
  if (endings.length === 0) return;
  const what = {
    op: 'settle',
    ids: endings.map(({ one }) => one.row.id),
    tokens: endings.map(({ one }) => one.token),
    kinds: endings.map(({ kind }) => kind),
    clears: endings.map(({ verdict }) => verdict.kind !== 'pending' || verdict.record === 'clear'),
    delays: endings.map(({ delay }) => delay),
  } as const;
  await journal.op(what, async () => {
    const results = await store.settle(endings.map(({ one, verdict }) => settlementOf(one, verdict)));
    return { changed: what.ids.filter((_, n) => results[n]?.result === 'settled') };
  });
}

async function hold(rows: readonly ClaimedRow[]): Promise<void> {
  await pause(Math.random() < 0.05 ? between(250, 600) : between(0, 30));
  if (Math.random() > 0.12) return;
  const tokens = rows.map((one) => one.token);
  await journal.op({ op: 'renew', tokens }, async () => ({
    kept: [...(await store.renew(tokens, LEASE_MS))].flatMap(([token, how]) =>
      how === 'renewed' ? [token] : [],
    ),
  }));
  await pause(between(0, 40));
}

/** An external sender's record comes by a statement of its own; what was claimed with one keeps that. */
async function writeAhead(one: ClaimedRow): Promise<void> {
  if (one.kind !== 'fresh' || one.own !== null) return;
  const record: SubmissionRecord = {
    sentFrom: 1n,
    sentUntil: null,
    submissionId: one.token,
    party: party('p'),
    sentOn: 1,
    hash: { bytes: randomBytes(32), scheme: 2 },
  };
  await journal.op({ op: 'write-ahead', ids: [one.row.id] }, async () => {
    const wrote = await store.writeAhead(one, record, 1n);
    return wrote === 'written' ? { changed: [one.row.id] } : {};
  });
}

/** Let go in one batch; one in 25 is dropped without a word, as by a crash. */
async function work(rows: readonly ClaimedRow[]): Promise<void> {
  await hold(rows);
  const endings: Ending[] = [];
  for (const one of rows) {
    const dice = Math.random();
    if (dice < 0.04) continue;
    else if (dice < 0.14) endings.push(retry(one, 'clear', between(50, 300)));
    else if (dice < 0.26) {
      await writeAhead(one);
      endings.push(retry(one, 'keep', 0));
    } else if (dice < 0.31) endings.push(park(one, dice < 0.28 ? 'keep' : 'clear'));
    else endings.push(over(one));
  }
  await settle(endings);
}

async function lookAt(rows: readonly ClaimedRow[]): Promise<void> {
  await hold(rows);
  const endings: Ending[] = [];
  for (const one of rows) {
    const dice = Math.random();
    if (one.kind !== 'undecided' || dice < 0.04) continue;
    else if (dice < 0.3) endings.push(retry(one, 'keep', between(20, 150)));
    // Dead: its record is cleared, and the row is claimed anew in its lane's order.
    else if (dice < 0.75) endings.push(retry(one, 'clear', 0));
    else endings.push(over(one));
  }
  await settle(endings);
}

async function claims(): Promise<void> {
  const running = new Set<Promise<void>>();
  const start = (task: Promise<void>): void => {
    const tracked = task.finally(() => running.delete(tracked));
    running.add(tracked);
  };
  while (left() > 0) {
    let rows: readonly ClaimedRow[] = [];
    const request = { holder: `p${me}`, limit: between(1, 16), leaseMs: LEASE_MS, generation: 1n };
    await journal.op({ op: 'claim' }, async () => {
      const reply = await store.claim({ ...request, sentFrom: 1n, windowMs: 1_000 });
      rows = reply.kind === 'claimed' ? reply.rows : [];
      return { claimed: note(reply) };
    });
    if (rows.length > 0) start(work(rows));
    let looks: readonly ClaimedRow[] = [];
    await journal.op({ op: 'look' }, async () => {
      const reply = await store.claimUndecided(request);
      looks = reply.kind === 'claimed' ? reply.rows : [];
      return { claimed: note(reply) };
    });
    if (looks.length > 0) start(lookAt(looks));
    if (rows.length + looks.length === 0) await pause(between(1, 10));
    if (running.size > 6) await Promise.race(running);
  }
  await Promise.all(running);
}

/** The poll: 5 s in production, a tenth of a second here, for a lease of 300 ms. */
async function rescues(): Promise<void> {
  while (left() > 0) {
    await pause(between(60, 140));
    await journal.op({ op: 'rescue' }, async () => ({ count: await store.rescue() }));
  }
}

await Promise.all([inserts(), operates(), claims(), rescues()]);
process.exit(0);
