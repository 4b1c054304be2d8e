import { type AddressInfo, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  GetLedgerApiVersionRequest,
  UnimplementedVersionServiceService as VersionService,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import { noToken } from '../../src/ledger/auth.js';
import { unary, type Wire } from '../../src/ledger/call.js';
import { type ChannelTimes, type LedgerChannel, openChannel } from '../../src/ledger/channel.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { startStub } from '../support/participant-stub.js';
import { startProxy } from '../support/proxy.js';
import { connected, TIMEOUT, valueIn } from './setup.js';

const { GetLedgerApiVersion } = VersionService.definition;
/** Production's, as scaled as a test's patience. */
const TIMES: ChannelTimes = {
  keepaliveMs: 100,
  keepaliveTimeoutMs: 100,
  reconnectMinMs: 50,
  reconnectMaxMs: 100,
  connectMs: 60_000,
};

function open(t: ExecutionContext, url: string, times?: ChannelTimes): LedgerChannel {
  const channel = openChannel({ url }, times);
  t.teardown(() => channel.close());
  return channel;
}

async function proxied(t: ExecutionContext, port: number) {
  const target = `tcp://127.0.0.1:${port}`;
  const proxy = await startProxy(t, target);
  return { proxy, url: new URL(proxy.through(target)).host };
}

test.serial(
  'keepalive: a connection that has gone silent ends its calls long before their deadline',
  async (t) => {
    const stub = await startStub(t, { version: null });
    const { proxy, url } = await proxied(t, stub.port);
    const channel = open(t, url, TIMES);
    await connected(channel);
    const wire: Wire = { channel, tokens: noToken, open: new Set() };
    const called = unary(wire, GetLedgerApiVersion, new GetLedgerApiVersionRequest(), { timeoutMs: 60_000 });
    await stub.arrival;
    const lost = connected(channel, false);
    proxy.blackHole();
    await lost;
    t.like(await called, { kind: 'status', status: { code: 'UNAVAILABLE' } });
  },
);

test.serial('a connection on which nobody answers is given up, and another one tried', async (t) => {
  const stub = await startStub(t);
  const { proxy, url } = await proxied(t, stub.port);
  proxy.blackHole();
  const channel = open(t, url, { ...TIMES, connectMs: 300 });
  await proxy.taken();
  // From here on others would be served, while that one stays silent for ever.
  await proxy.resume();
  await connected(channel);
  const wire: Wire = { channel, tokens: noToken, open: new Set() };
  t.like(await unary(wire, GetLedgerApiVersion, new GetLedgerApiVersionRequest(), TIMEOUT), {
    kind: 'answer',
  });
});

/** A channel to a port that takes every connection and ends it at once; how often it has come. */
async function unserved(t: ExecutionContext, times: Partial<ChannelTimes>, reached?: [number, () => void]) {
  let taken = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.destroy();
    taken += 1;
    if (taken === reached?.[0]) reached[1]();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  open(t, `127.0.0.1:${(server.address() as AddressInfo).port}`, { ...TIMES, ...times });
  return () => taken;
}

test.serial('connecting goes on for ever, at growing distances that have an end', async (t) => {
  // Held against each other, since a stall of this machine delays all of them. Without an end the distances grow by
  // 1.6 each time: after 16 times a tenth of a second, such a one has come 7 times.
  let enough = (): void => {};
  const reached = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const [patient, growing] = [
    await unserved(t, { reconnectMinMs: 30_000, reconnectMaxMs: 30_000 }),
    await unserved(t, { reconnectMaxMs: 600_000 }),
  ];
  const bounded = await unserved(t, {}, [16, enough]);
  await reached;
  t.is(bounded(), 16);
  t.true(growing() >= 3 && growing() <= 10, `${growing()}`);
  t.is(patient(), 1);
});

const MIB = 1024 * 1024;

test.serial(
  'answers of many megabytes are read; beyond 50 MiB a call fails, in either direction, and the next goes on',
  async (t) => {
    const [large, endless] = [
      await startStub(t, { version: `3.${'4'.repeat(12 * MIB)}` }),
      await startStub(t, { version: `3.${'4'.repeat(50 * MIB)}` }),
    ];
    const ledger = ({ port }: { port: number }) => {
      const opened = createLedger({
        url: `127.0.0.1:${port}`,
        userId: 'u',
        synchronizerId: 's',
        issuerParty: 'i',
      });
      t.teardown(() => opened.close());
      return opened;
    };
    const [one, two] = [ledger(large), ledger(endless)];
    t.is(valueIn(await one.version(TIMEOUT)).version.length, 12 * MIB + 2);
    const tooLarge = {
      kind: 'failed-read',
      refusal: { errorId: 'GRPC_RESOURCE_EXHAUSTED', blame: 'sender' },
    };
    t.like(await two.version(TIMEOUT), tooLarge);
    t.true(two.ready());
    const asked = large.asked();
    t.like(await one.transferOf('x'.repeat(51 * MIB), [], TIMEOUT), tooLarge);
    t.true(one.ready());
    t.is(large.asked(), asked);
  },
);
