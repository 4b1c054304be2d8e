// `npm run test:kill [pattern]`: kill -9 at every step of the protocol, times both ways to submit, times participants of
// two generations, times deduplication on and off.
import { CASES, killAt, nameOf } from './kill.js';

const pattern = process.argv[2] ?? '';
const broken: string[] = [];
const wanted = CASES.filter((one) => nameOf(one).includes(pattern));
for (const one of wanted) {
  const undo: (() => Promise<void>)[] = [];
  const problems = await killAt({ teardown: (fn) => void undo.push(fn) }, one).catch((error: unknown) => [
    String(error),
  ]);
  for (const step of undo.reverse()) await step().catch(() => {});
  console.log(
    `${problems.length === 0 ? 'ok  ' : 'BAD '} ${nameOf(one)}${problems.map((it) => `\n     ${it}`).join('')}`,
  );
  if (problems.length > 0) broken.push(nameOf(one));
}
console.log(`${wanted.length - broken.length} of ${wanted.length} ended with one effect in the right state`);
process.exit(broken.length === 0 ? 0 : 1);
