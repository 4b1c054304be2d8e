// What a program says, on both of its streams together, and how it ends.
import type { ChildProcess } from 'node:child_process';

export function outputOf(child: ChildProcess) {
  let text = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      for (const watch of [...watchers]) watch();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    text: () => text,
    ended,
    /** The first match in all that it has said so far, or says before it ends. */
    said: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const watch = (): void => {
          const found = pattern.exec(text);
          if (found === null) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void ended.then(() => reject(new Error(`ended without ${pattern}\n${text}`)));
      }),
  };
}
