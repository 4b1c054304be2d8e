// A TCP proxy whose far side can be taken away: what a network does to a connection that neither end wanted to lose.
import { createServer, type Server, Socket } from 'node:net';

export interface TcpProxy {
  /** The same URL, with the way through here. */
  through(url: string): string;
  /** Connections taken since the start. */
  connections(): number;
  /** Resolves with the first of them. */
  taken(): Promise<void>;
  /** Ends the open connections, and takes new ones at once. */
  cut(): void;
  /** Ends the open connections, and refuses new ones. */
  refuse(): Promise<void>;
  /** Swallows every byte, on open connections and on new ones, or one direction's; nobody is told. */
  blackHole(what?: Swallowed): void;
  /** New connections pass. Those that lost bytes stay silent: nobody would understand what came after. */
  resume(): Promise<void>;
  /** New connections go to another server, as after a change of DNS; the open ones stay where they are. */
  lead(target: string): void;
  /** Ends the open connections; new ones go to another server, as after a failover. */
  aim(target: string): void;
}

type Swallowed = 'all' | 'requests' | 'answers';

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  swallows: Swallowed | null;
}

export async function startProxy(t: Teardown, target: string): Promise<TcpProxy> {
  let { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let server: Server | null = null;
  let own = 0;
  let taken = 0;
  let swallowing: Swallowed | null = null;
  let first = (): void => {};
  const firstTaken = new Promise<void>((resolve) => {
    first = resolve;
  });

  const take = (near: Socket): void => {
    taken += 1;
    first();
    const far = new Socket();
    const pair: Pair = { near, far, swallows: swallowing };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to, bytesAre] of [
      [near, far, 'requests'],
      [far, near, 'answers'],
    ] as const) {
      from.setNoDelay(true);
      // A black hole tells nobody of an end either.
      from.on('error', () => pair.swallows || end());
      from.on('close', () => pair.swallows || end());
      from.on('data', (bytes) => {
        if (pair.swallows !== 'all' && pair.swallows !== bytesAre) to.write(bytes);
      });
    }
    if (pair.swallows !== 'all') far.connect(Number(port), hostname);
  };

  const listen = (): Promise<void> => {
    if (server !== null) return Promise.resolve();
    const opened = createServer(take);
    server = opened;
    return new Promise((resolve, reject) => {
      opened.once('error', reject);
      opened.listen(own, '127.0.0.1', () => {
        const address = opened.address();
        if (typeof address === 'object' && address !== null) own = address.port;
        resolve();
      });
    });
  };

  const cut = (): void => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
    pairs.clear();
  };

  const refuse = async (): Promise<void> => {
    const closing = server;
    server = null;
    const closed = new Promise<void>((resolve) =>
      closing === null ? resolve() : closing.close(() => resolve()),
    );
    cut();
    await closed;
  };

  await listen();
  t.teardown(refuse);
  return {
    through(url) {
      const moved = new URL(url);
      moved.hostname = '127.0.0.1';
      moved.port = String(own);
      return moved.href;
    },
    connections: () => taken,
    taken: () => firstTaken,
    cut,
    refuse,
    blackHole(what = 'all') {
      swallowing = what;
      for (const pair of pairs) pair.swallows = what;
    },
    async resume() {
      swallowing = null;
      await listen();
    },
    lead(next) {
      ({ hostname, port } = new URL(next));
    },
    aim(next) {
      ({ hostname, port } = new URL(next));
      cut();
    },
  };
}
