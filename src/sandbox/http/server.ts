// The sandbox's HTTP side: what it has seen, and what should happen to it.
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { ZodError, z } from 'zod';
import type { Sandbox } from '../api.js';
import { type Allocated, BadRequest } from '../control.js';
import {
  type Control,
  controlSchema,
  type Fault,
  faultSchema,
  type PartySpec,
  partySchema,
  problems,
} from '../fault-schema.js';
import type { SetFault } from '../faults.js';
import type { Host } from '../host.js';
import { serveRegistry } from './registry.js';

export function httpServer(
  sandbox: Sandbox,
  host: Host,
  createParties: (specs: readonly PartySpec[]) => Allocated[],
): FastifyInstance {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  server.setErrorHandler((error, _request, reply) => {
    const bad = error instanceof ZodError || error instanceof BadRequest || isClientError(error);
    const message =
      error instanceof ZodError ? problems(error) : error instanceof Error ? error.message : `${error}`;
    return reply.code(bad ? 400 : 500).send({ error: message });
  });

  // For whoever asks with curl: the prompt begins on a line of its own.
  server.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' && !payload.endsWith('\n') ? `${payload}\n` : payload,
  );

  server.get('/', () => ({ ledger: sandbox.url, env: sandbox.env, participantId: sandbox.participantId }));

  server.get<{ Querystring: { since?: string; commandId?: string } }>('/audit', (request, reply) => {
    const { since = '0', commandId } = request.query;
    const lines = function* () {
      for (const entry of sandbox.audit.entries.slice(Number(since) || 0)) {
        if (commandId === undefined || entry.commandId === commandId) yield `${JSON.stringify(entry)}\n`;
      }
    };
    return reply.type('application/x-ndjson').send(Readable.from(lines()));
  });
  server.get('/audit/summary', () => sandbox.audit.summary());

  server.get('/faults', () => sandbox.faults.list().map(shown));
  server.post('/faults', async (request) => {
    // All are parsed before the first one is carried out.
    const asked = asArray(request.body).map(faultOrControl);
    const done: unknown[] = [];
    for (const it of asked) done.push('do' in it ? shown(sandbox.faults.add(it)) : await sandbox.control(it));
    return done;
  });
  server.delete('/faults', () => {
    sandbox.faults.clear();
    return {};
  });
  server.delete<{ Params: { id: string } }>('/faults/:id', (request, reply) =>
    sandbox.faults.remove(Number(request.params.id)) ? {} : reply.code(404).send({ error: 'no such fault' }),
  );
  server.post('/control', async (request) => {
    const done: unknown[] = [];
    for (const it of z.array(controlSchema).parse(asArray(request.body)))
      done.push(await sandbox.control(it));
    return done;
  });

  serveRegistry(server, host);
  server.get('/parties', () => sandbox.parties());
  server.post('/parties', (request) => {
    const allocated = createParties(z.array(partySchema).parse(asArray(request.body)));
    const parties = allocated.map(({ party }) => party);
    const external = allocated.flatMap((it) => it.external ?? []);
    return {
      ...(Array.isArray(request.body) ? {} : { party: parties[0] }),
      parties,
      ...(external.length > 0 ? { external } : {}),
    };
  });
  server.get<{ Querystring: { party?: string } }>('/holdings', (request) => {
    const { party } = request.query;
    if (!party) throw new BadRequest('party: missing');
    return sandbox.balances(party);
  });
  return server;
}

/** A fault without an end shows null for what is left. */
function shown({ id, fault, left, hits }: SetFault) {
  return { id, ...fault, left: Number.isFinite(left) ? left : null, hits };
}

/** A single object counts as a list of one. */
function asArray(body: unknown): unknown[] {
  return Array.isArray(body) ? body : [body];
}

/** A control has a kind, a fault has the calls it is on. */
function faultOrControl(item: unknown): Fault | Control {
  const isControl = typeof item === 'object' && item !== null && 'kind' in item;
  return isControl ? controlSchema.parse(item) : faultSchema.parse(item);
}

function isClientError(error: unknown): boolean {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500;
}
