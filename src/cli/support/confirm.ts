// Asks whoever is at the terminal.
import { createInterface } from 'node:readline/promises';
import { ConfigError } from '../../core/errors.js';

/** A script has no terminal, and nobody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stdout.isTTY;

/** Anything but a yes means no, including Ctrl-C, Ctrl-D and the end of the terminal. */
export async function confirmed(
  question: string,
  { input = process.stdin, output = process.stderr }: Partial<Terminal> = {},
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  const cancelled = new Promise<string>((resolve) => {
    terminal.once('SIGINT', () => {
      output.write('\n');
      resolve('');
    });
    terminal.once('close', () => resolve(''));
  });
  try {
    const answer = await Promise.race([terminal.question(question), cancelled]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** For what no other command can undo. A script passes --yes instead. `undone`: what a refusal to ask has left as it was. */
export async function sure(question: string, undone = 'nothing was changed'): Promise<boolean> {
  if (!canAsk()) throw new ConfigError([`${undone}: there is no terminal to ask on; pass --yes to confirm`]);
  return await confirmed(`${question} [y/N] `);
}

/** Says what will be lost, then asks. */
export async function agreed(lost: string, question: string, yes: boolean): Promise<boolean> {
  console.log(lost);
  return yes || (await sure(question));
}

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}
