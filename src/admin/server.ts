// Admin HTTP: liveness, readiness, metrics, status, and the page, from which a person may also act.
import { createHash, timingSafeEqual } from 'node:crypto';
import { fastify } from 'fastify';
import { ConfigError } from '../core/errors.js';
import type { NotReady } from '../observe/events.js';
import type { Metrics } from '../observe/metrics.js';
import type { PageSource } from '../observe/page.js';
import { toJson } from './json.js';
import { createLive } from './page/live.js';
import { isPageFile, pageRoutes } from './page/routes.js';

export interface AdminAddress {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string | null;
}

export interface AdminSources {
  health(): { readonly ready: boolean; readonly blockers: readonly NotReady[] };
  /** The queue as the database sees it; may reject. */
  snapshot(): Promise<object>;
  /** This process's own state. */
  instance(): object;
  readonly metrics: Metrics;
  readonly page: PageSource;
}

export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startAdmin(address: AdminAddress, sources: AdminSources): Promise<AdminServer> {
  const server = fastify({ logger: false, forceCloseConnections: true });
  const { token } = address;
  const { state, lists, history } = sources.page;
  const live = createLive({ state, lists, history });

  server.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    if (token === null || url === '/livez' || isPageFile(url)) return;
    if (!sameToken(request.headers.authorization ?? '', `Bearer ${token}`)) {
      await reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ error: 'send ADMIN_TOKEN as a bearer token' });
    }
  });
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  server.setErrorHandler((error, _request, reply) => {
    const reason = error instanceof Error ? error.message : String(error);
    return reply.code(500).send({ error: reason });
  });

  server.get('/livez', () => ({ live: true }));
  server.get('/readyz', (_request, reply) => {
    const { ready, blockers } = sources.health();
    return reply.code(ready ? 200 : 503).send({ ready, reasons: blockers });
  });
  server.get('/metrics', async (_request, reply) => {
    reply.type(sources.metrics.contentType);
    return sources.metrics.text();
  });
  server.get('/status', async (_request, reply) => {
    const { ready, blockers } = sources.health();
    // The instance's own part matters most while the database is away.
    const database = await sources.snapshot().catch((error: unknown) => ({
      unavailable: error instanceof Error ? error.message : String(error),
    }));
    reply.type('application/json; charset=utf-8');
    return toJson({ ready, reasons: blockers, instance: sources.instance(), database });
  });
  pageRoutes(server, sources.page, live);
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'nothing here; see /, /status, /readyz, /livez, /metrics' }),
  );

  try {
    const url = await server.listen({ host: address.host, port: address.port });
    const close = async (): Promise<void> => {
      await live.stop();
      await server.close();
    };
    return { url, close };
  } catch (error) {
    await server.close();
    throw asConfigError(error, address);
  }
}

/** Hashed first, so that the comparison takes the same time whatever was sent. */
function sameToken(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function asConfigError(error: unknown, { host, port }: AdminAddress): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = {
    EADDRINUSE:
      'is taken, perhaps by another instance on this machine: give each its own port, 0 for any free one, or off',
    EACCES: 'may not be opened by this user: choose a port above 1023',
    EADDRNOTAVAIL: 'is not an address of this machine',
    ENOTFOUND: 'is not a known host name',
  }[String(code)];
  return reason === undefined ? error : new ConfigError([`ADMIN_ADDRESS ${host}:${port} ${reason}`]);
}
