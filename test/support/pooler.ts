// A pooler in transaction mode, as PgBouncer is one: a session has a server process for a transaction's length only, and
// no settings of its own. Anybody may log in to it; it logs in to the server with the URL's own password.
import { createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';

export interface PoolerOptions {
  /** Server processes. */
  readonly size?: number;
  /** What becomes of `options` at connect: refused (PgBouncer's default), or let pass unheard (ignore_startup_parameters). */
  readonly options?: 'refused' | 'ignored';
  /** A session keeps its server to its end. */
  readonly mode?: 'transaction' | 'session';
}

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** Resolves with the URL through it. */
export async function startPooler(t: Teardown, target: string, options: PoolerOptions = {}): Promise<string> {
  const { size = 2, mode = 'transaction', options: given = 'refused' } = options;
  const free: Socket[] = [];
  const waiting: ((server: Socket) => void)[] = [];
  const sockets = new Set<Socket>();
  let made = 0;

  const openServer = async (): Promise<Socket> => {
    const client = new pg.Client({ connectionString: target, application_name: 'pooler' });
    client.on('error', () => {});
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.removeAllListeners('data');
    stream.removeAllListeners('end');
    sockets.add(stream);
    return stream;
  };
  const take = async (): Promise<Socket> => {
    const idle = free.pop();
    if (idle !== undefined) return idle;
    if (made < size) {
      made += 1;
      return await openServer();
    }
    return await new Promise((resolve) => waiting.push(resolve));
  };
  const giveBack = (server: Socket): void => {
    server.removeAllListeners('data');
    const next = waiting.shift();
    if (next === undefined) free.push(server);
    else next(server);
  };

  const serve = (client: Socket): void => {
    sockets.add(client);
    client.on('error', () => {});
    let begun = false;
    let server: Socket | null = null;
    let taking = false;
    let held = Buffer.alloc(0);
    const answers = (one: Socket): void => {
      let rest = Buffer.alloc(0);
      one.on('data', (bytes: Buffer) => {
        client.write(bytes);
        rest = Buffer.concat([rest, bytes]);
        let idle = false;
        while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
          const length = rest.readInt32BE(1) + 1;
          // ReadyForQuery, outside of a transaction.
          if (rest[0] === 0x5a) idle = rest[5] === 0x49;
          rest = rest.subarray(length);
        }
        if (!idle || mode === 'session') return;
        server = null;
        giveBack(one);
      });
    };
    const ask = (bytes: Buffer): void => {
      if (server !== null) {
        server.write(bytes);
        return;
      }
      held = Buffer.concat([held, bytes]);
      if (taking) return;
      taking = true;
      void take().then((one) => {
        taking = false;
        server = one;
        answers(one);
        one.write(held);
        held = Buffer.alloc(0);
      });
    };
    client.on('data', (bytes: Buffer) => {
      if (begun) {
        if (bytes[0] === 0x58) client.end();
        else ask(bytes);
        return;
      }
      if (bytes.readInt32BE(4) === SSL_REQUEST) return void client.write('N');
      const asked = bytes.subarray(8).toString('utf8').split('\0');
      if (given === 'refused' && asked.includes('options')) {
        client.end(message('E', Buffer.from('SFATAL\0C08P01\0Munsupported startup parameter: options\0\0')));
        return;
      }
      begun = true;
      client.write(
        Buffer.concat([
          message('R', Buffer.from([0, 0, 0, 0])),
          // A process and a secret of its own making.
          message('K', Buffer.from([0, 0, 0, 1, 0, 0, 0, 2])),
          message('Z', Buffer.from('I')),
        ]),
      );
    });
    client.on('close', () => {
      sockets.delete(client);
      // Left in the middle of something: that process is of no use to anybody.
      if (server === null) return;
      server.destroy();
      made -= 1;
    });
  };

  const listener: Server = createServer(serve);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => listener.close(() => resolve()));
  });
  const address = listener.address();
  const url = new URL(target);
  url.host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return url.href;
}

const SSL_REQUEST = 80_877_103;

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
