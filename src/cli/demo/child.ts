// Runs a command as a child of the demo: the same command line, but it ends when the process that started it does,
// however that happens, because its stdin closes then.
import { exit } from '../exit.js';

const END_MS = 5_000;

process.stdin.on('end', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(exit.forced), END_MS).unref();
});
process.stdin.on('error', () => {});
process.stdin.resume();
(process.stdin as unknown as { unref?(): void }).unref?.();

await import('../main.js');
