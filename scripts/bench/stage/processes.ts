// The processes that a benchmark measures: compiled once, all on the Node that runs the benchmark, gone with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { compile } from '../../../test/support/compile.js';

/** The compiled tree. */
const tree = (): string => process.env.TEST_COMPILED ?? compile();
const PARTS = 'parts';

export const workerFile = (name: string): string =>
  path.join(tree(), PARTS, 'scripts/bench/workers', `${name}.js`);

/** Put together it starts faster; a profile has to tell its files apart. */
const commandLine = (node: readonly string[]): string =>
  path.join(tree(), ...(node.length === 0 ? [] : [PARTS]), 'src/cli/demo/child.js');

export interface Child {
  readonly pid: number;
  /** By SIGTERM, and at once where that is not enough; resolves when it is gone. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface Program {
  /** `run`, `sandbox`, … of the command line, or a file of `workers/`. */
  readonly args: readonly string[] | { readonly worker: string };
  readonly env: Readonly<Record<string, string>>;
  readonly node?: readonly string[];
}

const STOP_MS = 40_000;

/** Resolves when each of `said` was in a line of its stdout, with the first such line. */
export async function start(
  { args, env, node = [] }: Program,
  said: readonly string[],
): Promise<[Child, string]> {
  const [file, rest] = 'worker' in args ? [workerFile(args.worker), []] : [commandLine(node), args];
  const child = spawn(process.execPath, [...node, file, ...rest], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  child.stdin.on('error', () => {});
  const gone = once(child, 'exit');
  const missing = new Set(said);
  const lines = createInterface({ input: child.stdout });
  let first = '';
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      for (const word of missing) if (line.includes(word)) missing.delete(word);
      if (first === '' && missing.size < said.length) first = line;
      if (missing.size === 0) resolve();
    });
    void gone.then(([code]) => reject(new Error(`${file} ended with ${code} before it was ready`)));
  });
  // What it logs from now on is read, since a full pipe would stop it, and thrown away without looking at lines.
  lines.close();
  child.stdout.resume();
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    if (child.exitCode === null && child.signalCode === null) await gone;
    clearTimeout(late);
  };
  return [{ pid: child.pid ?? 0, stop: () => stop('SIGTERM'), kill: () => stop('SIGKILL') }, first];
}
