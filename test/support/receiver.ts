// A receiver of webhooks: an HTTP server that verifies what it gets by itself, and answers as the test wants.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HANG_MS } from './time.js';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly sender: string;
  readonly nonce: number;
  readonly data: Readonly<Record<string, string | null>>;
  readonly seconds: number;
  /** For each of the receiver's secrets, whether a signature fits. */
  readonly verified: readonly boolean[];
}

/** `hang`: no answer, until the receiver is closed. */
export type Answer =
  | number
  | 'hang'
  | { readonly status: number; readonly headers: Record<string, string>; readonly body?: string };

export interface WebhookReceiver {
  readonly url: string;
  /** Everything that came, answered or not. */
  readonly received: readonly Received[];
  /** What was answered with a 2xx. */
  readonly accepted: readonly Received[];
  answer(how: (message: Received) => Answer | Promise<Answer>): void;
  /** Nobody listens any more; `up` listens again, at the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  until(what: string, holds: () => boolean): Promise<void>;
}

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

export const SECRET = `whsec_${Buffer.alloc(32, 'webhooks ').toString('base64')}`;

export async function startReceiver(
  t: Teardown,
  secrets: readonly string[] = [SECRET],
): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const accepted: Received[] = [];
  const waiting = new Set<() => void>();
  let answer: (message: Received) => Answer | Promise<Answer> = () => 204;
  let port = 0;
  let server: Server | null = null;
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };

  const listen = async (): Promise<void> => {
    const made = createServer(async (request, response) => {
      const body = await textOf(request);
      const message = await read(request, body, secrets);
      received.push(message);
      changed();
      const how = await answer(message);
      if (how === 'hang') return;
      const {
        status,
        headers,
        body: said,
      } = typeof how === 'number' ? { status: how, headers: {}, body: '' } : { body: '', ...how };
      if (status < 300) accepted.push(message);
      response.writeHead(status, headers).end(said);
      changed();
    });
    await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve));
    port = (made.address() as AddressInfo).port;
    server = made;
  };
  const close = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing === null) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };
  await listen();
  t.teardown(close);
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    accepted,
    answer(how) {
      answer = how;
    },
    down: close,
    up: listen,
    until(what, holds) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(
              `not within ${HANG_MS} ms: ${what}; received ${received.length}, accepted ${accepted.length}`,
            ),
          );
        }, HANG_MS);
        timer.unref();
        const look = (): void => {
          if (!holds()) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function read(request: IncomingMessage, body: string, secrets: readonly string[]): Promise<Received> {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const { type, data } = JSON.parse(body) as Received;
  const content = `${header('webhook-id')}.${header('webhook-timestamp')}.${body}`;
  const signatures = header('webhook-signature').split(' ');
  return {
    id: header('webhook-id'),
    type,
    sender: data.sender ?? '',
    nonce: Number(data.nonce),
    data,
    seconds: Number(header('webhook-timestamp')),
    verified: await Promise.all(secrets.map((secret) => anyFits(secret, content, signatures))),
  };
}

/** By Web Crypto, with nothing of the code that signed. */
async function anyFits(secret: string, content: string, signatures: readonly string[]): Promise<boolean> {
  const bytes = Uint8Array.from(atob(secret.replace('whsec_', '')), (one) => one.charCodeAt(0));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ]);
  for (const signature of signatures) {
    const [version, encoded = ''] = signature.split(',');
    const given = Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
    if (
      version === 'v1' &&
      (await crypto.subtle.verify('HMAC', key, given, new TextEncoder().encode(content)))
    )
      return true;
  }
  return false;
}
