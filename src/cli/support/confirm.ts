// Asks whoever is at the terminal.
import { createInterface } from 'node:readline/promises';

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

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}
