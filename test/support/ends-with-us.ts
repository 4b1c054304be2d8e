// Nothing that a test has started outlives its test file, nor a test file its run, however these come to their end.
import type { ChildProcess } from 'node:child_process';

// ava's workers stay when it is killed itself, as `test:mutations` does after a time-out. Imported by whatever all of them
// use, if only for this.
process.once('disconnect', () => process.exit());

const running = new Map<ChildProcess, 'SIGKILL' | 'SIGTERM'>();
process.once('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

/** For a child that no pipe tells of our end. A test that is over has ended it already. */
export function endsWithUs<Child extends ChildProcess>(
  child: Child,
  signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
): Child {
  running.set(child, signal);
  child.once('exit', () => running.delete(child));
  return child;
}
