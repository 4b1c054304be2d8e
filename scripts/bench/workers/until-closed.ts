// A worker lives until it is told to stop, or whoever started it is gone: its stdin closes then.

/** Says that it works. It ends by `process.exit`, so that a profile is written. */
export function readyUntilClosed(): void {
  const end = (): never => process.exit(0);
  process.on('SIGTERM', end);
  process.stdin.on('end', end).resume();
  console.log('ready');
}

export const setting = (name: string): number => Number(process.env[name]);
