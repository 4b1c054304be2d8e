// The command line, from its words to its exit code.
import { exit, exitCodeOf, messageOf } from './exit.js';
import { createProgram } from './program.js';
import { watchOutput } from './support/output.js';

watchOutput();
try {
  const words = process.argv.slice(2);
  const program = await createProgram(words);
  await program.parseAsync(words, { from: 'user' });
} catch (error) {
  const message = messageOf(error);
  if (message !== null) process.stderr.write(`canton-submitter: ${message}\n`);
  process.exitCode = exitCodeOf(error);
  // Whatever a failed command left open (a pool, a timer) must not keep the process alive.
  if (process.exitCode !== exit.clean) setImmediate(() => process.exit());
}
