// Who asks in one moment shares the reads, and nothing of anybody else.
import test, { type ExecutionContext } from 'ava';
import { type Offset, type Party, party } from '../../src/core/ids.js';
import { createBalances } from '../../src/path/balances.js';
import type { Doubt } from '../../src/path/given/participant.js';
import { bench, DEMO, UNIT } from '../ledger/setup.js';
import { HANG_MS } from '../support/time.js';

async function several(t: ExecutionContext, counts: readonly number[]) {
  const { sandbox, ledger } = await bench(t);
  const parties = sandbox
    .createParties(counts.map((count) => ({ holdings: [{ token: DEMO, amount: '2', count }] })))
    .map(party);
  const doubts: Doubt[] = [];
  /** Each read of active contracts, and with what it ended: null where it was answered. */
  const snapshots: { readonly of: readonly Party[]; readonly ended: Promise<string | null> }[] = [];
  let seen: Offset = 0n;
  const balances = createBalances({
    ledger: {
      ledgerEnd: ledger.ledgerEnd,
      holdings(of, at, options) {
        // How long a read may take is not what is tested here: beside other work 1,501 holdings take longer.
        const read = ledger.holdings(of, at, { ...options, timeoutMs: HANG_MS });
        snapshots.push({ of, ended: read.then((one) => (one.kind === 'read' ? null : one.refusal.errorId)) });
        return read;
      },
    },
    participant: {
      ledgerEnd: () => seen,
      sawLedgerEnd: (end) => {
        seen = end;
      },
      doubt: (why) => doubts.push(why),
    },
  });
  const reads = () => {
    const { 'StateService/GetLedgerEnd': ends = 0, 'StateService/GetActiveContracts': snapshots = 0 } =
      sandbox.audit.summary().reads;
    return { ends, snapshots };
  };
  /** What each of them has: the sum of what is told of it, or why it is not told. */
  const asked = (those: readonly Party[] = parties, signal?: AbortSignal) =>
    Promise.all(
      those.map(async (one) => {
        const read = await balances.of(one, signal ?? new AbortController().signal);
        if (read.kind !== 'read') return read.refusal.errorId;
        t.true(read.value.holdings.every(({ owner }) => owner === one));
        return Number(read.value.holdings.reduce((sum, { amount }) => sum + amount, 0n) / UNIT);
      }),
    );
  return { sandbox, parties, asked, reads, doubts, snapshots, saw: (end: Offset) => (seen = end) };
}

test('senders who ask in one moment share a ledger end and a snapshot; each is told of its own holdings', async (t) => {
  const { asked, reads, parties } = await several(t, [1, 2, 3, 0]);
  t.deepEqual(await asked(), [2, 4, 6, 0]);
  t.deepEqual(reads(), { ends: 1, snapshots: 1 });
  t.deepEqual(await asked([...parties.slice(0, 1), ...parties.slice(0, 1)]), [2, 2]);
  t.deepEqual(reads(), { ends: 2, snapshots: 2 });
});

test("P29 what is wrong with one sender's holdings is that one's alone", async (t) => {
  const { sandbox, asked, parties, reads } = await several(t, [1, 1, 1]);
  const refused = sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    match: { party: parties[1] ?? '' },
    do: { kind: 'refuse', with: { error: 'PERMISSION_DENIED' } },
  });
  t.deepEqual(await asked(), [2, 'GRPC_PERMISSION_DENIED', 2]);
  t.deepEqual(reads(), { ends: 1, snapshots: 4 });
  sandbox.faults.remove(refused.id);
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    do: { kind: 'refuse', with: { grpc: 'UNAVAILABLE' } },
  });
  t.deepEqual(
    await asked(),
    Array.from({ length: 3 }, () => 'GRPC_UNAVAILABLE'),
  );
  t.deepEqual(
    reads(),
    { ends: 2, snapshots: 5 },
    'nobody is asked about again while the participant is away',
  );
});

test('P29 a ledger end that is refused once is held against nobody', async (t) => {
  const { sandbox, asked, reads } = await several(t, [1, 1, 1]);
  sandbox.faults.add({
    on: 'StateService/GetLedgerEnd',
    times: 1,
    do: { kind: 'refuse', with: { grpc: 'INTERNAL' } },
  });
  t.deepEqual(await asked(), [2, 2, 2]);
  t.deepEqual(reads(), { ends: 4, snapshots: 3 });
});

test.serial(
  'nobody waits for the many holdings of another, who is asked about alone from then on',
  async (t) => {
    const { asked, reads } = await several(t, [1, 1, 301]);
    t.deepEqual(await asked(), [2, 2, 602]);
    t.deepEqual(reads(), { ends: 1, snapshots: 4 });
    t.deepEqual(await asked(), [2, 2, 602]);
    t.deepEqual(reads(), { ends: 2, snapshots: 6 });
  },
);

test.serial('nobody waits a second time for holdings that cannot be read in time', async (t) => {
  const { sandbox, asked, parties, reads } = await several(t, [1, 1, 1_501]);
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    match: { party: parties[2] ?? '' },
    // An error overtakes messages that have not been read yet: a window of them, far fewer than 500.
    do: { kind: 'breakStream', afterMessages: 1_500, with: { grpc: 'DEADLINE_EXCEEDED' } },
  });
  t.deepEqual(await asked(), [2, 2, 'HOLDINGS_UNREAD']);
  t.deepEqual(reads(), { ends: 1, snapshots: 4 });
  t.deepEqual(await asked(), [2, 2, 'HOLDINGS_UNREAD']);
  t.deepEqual(reads(), { ends: 2, snapshots: 6 });
});

test('P28 a ledger end before one that was seen is told to nobody, and doubted', async (t) => {
  const { asked, reads, doubts, saw } = await several(t, [1, 1]);
  saw(1_000_000n);
  t.deepEqual(await asked(), ['LEDGER_END_BEHIND', 'LEDGER_END_BEHIND']);
  t.is(reads().snapshots, 0);
  t.is(doubts.length, 1);
  t.like(doubts[0], { kind: 'end-behind', known: 1_000_000n });
});

test('a claim that ends waits for no answer; the others get theirs', async (t) => {
  const { sandbox, asked, parties, reads } = await several(t, [1, 1]);
  const hung = sandbox.faults.add({ on: 'StateService/GetLedgerEnd', do: { kind: 'hang' } });
  const over = new AbortController();
  const one = asked(parties.slice(0, 1), over.signal);
  while (reads().ends === 0) await new Promise(setImmediate);
  over.abort();
  t.deepEqual(await one, ['CALL_ABORTED']);
  sandbox.faults.remove(hung.id);
  t.deepEqual(await asked(parties.slice(0, 1), over.signal), ['CALL_ABORTED']);
  const both = Promise.all([asked(parties.slice(0, 1), over.signal), asked(parties.slice(1))]);
  t.deepEqual(await both, [['CALL_ABORTED'], [2]]);
});

test.serial('the read of one whose claim ends, ends with it, though others had their answers', async (t) => {
  const { sandbox, asked, parties, reads, snapshots } = await several(t, [1, 301]);
  t.deepEqual(await asked(), [2, 602]);
  sandbox.faults.add({
    on: 'StateService/GetActiveContracts',
    match: { party: parties[1] ?? '' },
    do: { kind: 'hang' },
  });
  const before = reads().snapshots;
  const over = new AbortController();
  const many = asked(parties.slice(1), over.signal);
  t.deepEqual(await asked(parties.slice(0, 1)), [2]);
  while (reads().snapshots < before + 2) await new Promise(setImmediate);
  over.abort();
  t.deepEqual(await many, ['CALL_ABORTED']);
  const hung = snapshots.findLast(({ of: [one] }) => one === parties[1]);
  t.is(await hung?.ended, 'GRPC_CANCELLED', 'and not after the ten seconds of a read');
});

test('the many rows of a claim do not make Node warn an operator of', async (t) => {
  const warnings: string[] = [];
  const hear = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', hear);
  t.teardown(() => void process.off('warning', hear));
  const { asked } = await several(t, new Array<number>(64).fill(1));
  t.deepEqual(new Set(await asked()), new Set([2]));
  await new Promise(setImmediate);
  t.deepEqual(warnings, []);
});
