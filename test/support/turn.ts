// How many tests of one file are under way at a time. ava begins all of them at once: thirty worlds in one process share
// its one thread, and every span of theirs is over before they have had their turn.
interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** Enough that nobody's waiting leaves the machine idle. */
let free = 4;
const waiting: (() => void)[] = [];
const under = new WeakSet<Teardown>();

/** Resolves when this test may begin; it is over when everything that it has set up since is torn down. */
export async function turn(t: Teardown): Promise<void> {
  if (under.has(t)) return;
  under.add(t);
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  t.teardown(async () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  });
}
