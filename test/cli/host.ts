// One process for the many commands of a test file, each run as a shell has it run: the same main.ts, started anew, with
// an environment, an input, two outputs and an exit code of its own. What a start of Node costs is tested elsewhere.
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { compiled } from '../support/compiled.js';
import type { Ended } from './support.js';

export interface Order {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

const main = pathToFileURL(compiled('cli/main')).href;
const exit = process.exit.bind(process);
process.once('disconnect', () => exit());
// A command that has failed ends its process; what it left open may stay for as long as this one does.
process.exit = (() => {}) as unknown as typeof process.exit;
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

let runs = 0;

async function run({ args, env, input }: Order): Promise<Ended> {
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = (text: unknown, ...more: unknown[]): boolean => {
      out[name] += String(text);
      const written = more.at(-1);
      if (typeof written === 'function') written();
      return true;
    };
  Object.defineProperty(process, 'stdin', { configurable: true, value: Readable.from([input]) });
  process.argv = [process.execPath, compiled('cli/main'), ...args];
  process.env = { ...env };
  process.exitCode = undefined;
  await import(`${main}?${++runs}`);
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { code, ...out };
}

process.on('message', (order: Order) => {
  void run(order).then((ended) => process.send?.(ended));
});
