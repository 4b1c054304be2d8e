// Asking whoever sits at the terminal.
import { createInterface } from 'node:readline/promises';

/** A script has no terminal, and nobody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stdout.isTTY;

export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}
