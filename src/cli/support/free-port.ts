import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port for a server that starts later, or starts again. Below those that systems give to outgoing connections (from 32768
 * on Linux, from 49152 elsewhere): one of these could take it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => probe.close(resolve));
    if (free) return port;
  }
}
