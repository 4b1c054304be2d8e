// A worker lives as long as whoever started it: its stdin closes then, however that came about.

/** Says that it works, and ends with its stdin: by `process.exit`, so that a profile is written. */
export function readyUntilClosed(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
  console.log('ready');
}

export const setting = (name: string): number => Number(process.env[name]);
