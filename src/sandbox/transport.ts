// The sandbox's TCP side: accepts connections and hands them to the gRPC server, so that they can be cut, refused and
// told apart while the server behind them goes on.
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

export class Transport {
  readonly #sockets = new Map<string, Socket>();
  readonly #inject: (socket: Socket) => void;
  #listener: NetServer | undefined;
  #port: number;

  constructor(
    server: Server,
    private readonly host: string,
    port: number,
  ) {
    this.#port = port;
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#inject = (socket) => injector.injectConnection(socket);
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Rejects with the system's error, for example EADDRINUSE. Port 0 becomes the port that was assigned, and stays
   * that.
   */
  up(): Promise<void> {
    if (this.#listener) return Promise.resolve();
    const listener = createServer((socket) => this.#accept(socket));
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      listener.once('error', (error) => {
        this.#listener = undefined;
        reject(error);
      });
      listener.listen(this.#port, this.host, () => {
        const address = listener.address();
        if (address && typeof address === 'object') this.#port = address.port;
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sockets.set(peer, socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(peer));
    this.#inject(socket);
  }

  /** Refuses connections, and cuts the open ones. */
  down(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    return new Promise((resolve) => {
      if (listener) listener.close(() => resolve());
      else resolve();
      this.disconnect();
    });
  }

  /** Cuts this peer's connection, or all. */
  disconnect(peer?: string): void {
    const sockets = peer === undefined ? [...this.#sockets.values()] : [this.#sockets.get(peer)];
    for (const socket of sockets) socket?.destroy();
  }
}
