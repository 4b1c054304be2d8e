// CPU time by process, from /proc: on Linux only, elsewhere nothing is said of it.
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for programs. */
const MS_A_TICK = 10;

interface Stat {
  readonly parent: number;
  readonly ownMs: number;
  /** What children used that have ended and been waited for. */
  readonly endedChildrenMs: number;
}

function stat(pid: number | string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything; what follows is numbers.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ms = (index: number): number => (fields[index] ?? 0) * MS_A_TICK;
    return { parent: fields[1] ?? 0, ownMs: ms(11) + ms(12), endedChildrenMs: ms(13) + ms(14) };
  } catch {
    return null;
  }
}

export const parentOf = (pid: number): number | null => stat(pid)?.parent ?? null;

export const processMs = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (stat(pid)?.ownMs ?? 0), 0);

/** The server with all its backends, those that have ended too, but for these. */
export function postgresMs(postmaster: number, but: readonly number[]): number {
  const root = stat(postmaster);
  if (root === null) return 0;
  let sum = root.ownMs + root.endedChildrenMs;
  for (const name of readdirSync('/proc')) {
    const one = /^\d+$/.test(name) ? stat(name) : null;
    if (one?.parent === postmaster && !but.includes(Number(name))) sum += one.ownMs;
  }
  return sum;
}

export const hasCpu = process.platform === 'linux';

/** The most memory that it ever had, in MiB. */
export function peakMemory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? Number.NaN) / 1024;
}
