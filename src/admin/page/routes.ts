// The page at `/`, what it shows, and what a person does from it.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Done, PageActs, PageSource } from '../../observe/page.js';
import { toJson } from '../json.js';
import { PAGE_HEADERS, readPageFiles } from './files.js';
import type { Live } from './live.js';

const HASH = /^0x[0-9a-f]{64}$/i;

const hash = z.string().regex(HASH);
const doing = { by: z.string().trim().min(1).max(80), reason: z.string().trim().min(1).max(300) };
const address = z.string().regex(/^0x[0-9a-f]{40}$/i);
const pauseBody = z.strictObject({
  what: z.discriminatedUnion('scope', [
    z.strictObject({ scope: z.literal('all') }),
    z.strictObject({ scope: z.enum(['token', 'sender']), address }),
  ]),
  ...doing,
});

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

  /** One thing that a person does: with the token, from the page itself, and in somebody's name. */
  const act = <Body>(
    path: string,
    body: z.ZodType<Body>,
    go: (acts: PageActs, body: Body) => Promise<Done>,
  ): void => {
    server.post(path, async (request, reply) => {
      const refuse = (code: number, error: string) => reply.code(code).send({ error });
      if (source.acts === null)
        return refuse(403, 'set ADMIN_TOKEN to act from the page, or use the commands of canton-submitter');
      // The token is sent by our script, and never by a browser itself; this is for a browser that knows who asks.
      const site = request.headers['sec-fetch-site'];
      if (site !== undefined && site !== 'same-origin')
        return refuse(403, 'only the page itself may do this');
      const given = body.safeParse(request.body);
      if (!given.success) return refuse(400, `not understood: ${z.prettifyError(given.error)}`);
      const { done, what } = await go(source.acts, given.data);
      return reply.code(done ? 200 : 409).send({ what });
    });
  };
  act('/api/replay', z.strictObject({ hash, ...doing }), (acts, { hash, ...rest }) =>
    acts.replay(hash.toLowerCase(), rest),
  );
  act('/api/pause', pauseBody, (acts, { what, ...rest }) => acts.pause(what, rest));
  act('/api/resume', pauseBody, (acts, { what, ...rest }) => acts.resume(what, rest));
}
