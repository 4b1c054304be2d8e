// The page at `/`, and what it shows.
import type { FastifyInstance } from 'fastify';
import type { PageSource } from '../../observe/page.js';
import { toJson } from '../json.js';
import { PAGE_HEADERS, readPageFiles } from './files.js';
import type { Live } from './live.js';

const HASH = /^0x[0-9a-f]{64}$/i;

/** The files hold nothing of ours, so a browser gets them before it has a token to send. */
export const isPageFile = (url: string | undefined): boolean =>
  url === '/' || url?.startsWith('/page/') === true;

export function pageRoutes(server: FastifyInstance, source: PageSource, live: Live): void {
  const files = readPageFiles();
  server.addHook('onSend', async (_request, reply) => {
    reply.headers(PAGE_HEADERS);
  });
  for (const [path, { type, body }] of files)
    server.get(path, (_request, reply) => reply.type(type).send(body));

  server.get('/api/live', (_request, reply) => {
    const stream = live.view();
    if (stream === null) return reply.code(503).send({ error: 'too many are looking at this instance' });
    // For a proxy in between, which would keep events until it has many.
    reply.header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8');
    return reply.send(stream);
  });
  server.get<{ Params: { hash: string } }>('/api/rows/:hash', async (request, reply) => {
    const hash = request.params.hash.toLowerCase();
    if (!HASH.test(hash))
      return reply.code(400).send({ error: 'a transaction hash is 0x and 64 hexadecimal digits' });
    const story = await source.story(hash);
    return reply
      .code(story.kind === 'unknown' ? 404 : 200)
      .type('application/json; charset=utf-8')
      .send(toJson(story));
  });
}
