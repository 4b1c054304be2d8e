// Whoever reads a command's output may go away (`| head`), or run out of space.
import { exit } from '../exit.js';

let carriesOn = false;
let lost: string | null = null;

/**
 * If the reader of stdout is gone, nobody is listening: the command ends silently. Output lost for another reason (a
 * full disk) is a failure, reported on stderr.
 */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (carriesOn) {
      if (error.code !== 'EPIPE') lost ??= error.message;
      return;
    }
    if (error.code === 'EPIPE') process.exit(exit.clean);
    process.stderr.write(`canton-submitter: the output cannot be written: ${error.message}\n`);
    process.exit(exit.failure);
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => {});
}

/** For a command whose work matters more than its output: it is always finished. */
export function worksOnUnheard(): { readonly lost: () => string | null } {
  carriesOn = true;
  return { lost: () => lost };
}

/** Wraps everything a command does. Output lost for any reason but a missing reader is a failure at its end. */
export async function unheard(work: () => Promise<void>): Promise<void> {
  const output = worksOnUnheard();
  await work();
  sayLost(output.lost());
}

export function sayLost(reason: string | null): void {
  if (reason === null) return;
  process.stderr.write(`canton-submitter: part of the output could not be written: ${reason}\n`);
  process.exitCode = exit.failure;
}
