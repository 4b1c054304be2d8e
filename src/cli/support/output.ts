// Whoever reads what a command says may go away (`| head`), or have no room for it.
import { exit } from '../exit.js';

let carriesOn = false;
let lost: string | null = null;

/**
 * Where the reader of stdout is gone, a command has nobody to talk to: it ends, without a word. What could not be written
 * for another reason (a full disk) is a failure that stderr tells.
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
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
}

/** For a command whose work matters more than what it says of it: it is done to its end. */
export function worksOnUnheard(): { readonly lost: () => string | null } {
  carriesOn = true;
  return { lost: () => lost };
}

/** The same around all that a command does; what could not be said, for another reason than that nobody listens, is a failure at its end. */
export async function unheard(work: () => Promise<void>): Promise<void> {
  const output = worksOnUnheard();
  await work();
  sayLost(output.lost());
}

export function sayLost(reason: string | null): void {
  if (reason === null) return;
  process.stderr.write(`canton-submitter: not all of this could be written: ${reason}\n`);
  process.exitCode = exit.failure;
}
