// `canton-submitter sandbox`: runs the participant in a process of its own, for others to connect to.
import { createHash } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { BadStateFile, type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/index.js';
import { exit } from './exit.js';
import { sandboxUserCommand } from './sandbox/user.js';
import { exportLines } from './support/shell.js';

interface Flags {
  readonly host: string;
  readonly port: number;
  readonly httpPort: number;
  readonly seed?: string;
  readonly timeScale: number;
  readonly latencyMs?: number;
  readonly dedup: 'on' | 'off';
  readonly participantId?: string;
  readonly state?: string;
  readonly apiVersion?: string;
  readonly registry?: true;
  readonly env?: true;
  readonly postgres?: true;
}

export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description('start a Canton participant for tests; its first line of output says where it listens')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port of the Ledger API; 0 picks a free one', port, 6865)
    .option('--http-port <n>', 'port for audit log, faults and parties; 0 picks a free one', port, 6866)
    .option('--seed <text>', 'makes latencies, ids and probabilities repeatable')
    .option('--time-scale <factor>', "multiplies all of Canton's durations", positive, 1)
    .option(
      '--latency-ms <n>',
      'how long a submission takes, not scaled (default: 5 to 15 s, scaled)',
      duration,
    )
    .addOption(
      new Option('--dedup <on|off>', 'command deduplication and in-flight check')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option('--participant-id <id>', 'the answer of GetParticipantId')
    .option(
      '--api-version <version>',
      'Canton version to imitate: 3.4.x (default), 3.5.x, 3.6.x or 3.7.x, with its calls and fields',
      version,
    )
    .option('--registry', 'add tokens of another admin, with its registry on the HTTP port')
    .option('--state <file>', 'keep the ledger in this file, and continue from it')
    .option('--postgres', 'start a throw-away Postgres as well, prepared for `run`; gone afterwards')
    .option('--env', 'print lines that a shell can source, instead of JSON')
    .addHelpText(
      'after',
      `
The first line of output is JSON: the addresses of both sides, and every variable that \`run\` needs. With --env it is
lines to source instead; they say DATABASE_URL only with --postgres. CANTON_MASTER_KEY is for development: it is computed from
the participant's id. What the HTTP side offers (parties, faults, the audit log) is in docs/sandbox.md.

Examples:
  canton-submitter sandbox --postgres --env | tee sandbox.env
  canton-submitter sandbox --port 0 --http-port 0 --latency-ms 50 --seed 1
  canton-submitter sandbox --api-version 3.5.7 --registry --state ledger.ndjson`,
    )
    .addCommand(sandboxUserCommand())
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const stopped = stopSignal();
  const sandbox = await start(flags);
  if (!sandbox) return;
  try {
    if (flags.postgres) process.stderr.write('starting a throw-away Postgres: a few seconds\n');
    const postgres = flags.postgres
      ? await (await import('./sandbox/database.js')).databaseFor(sandbox.env)
      : null;
    try {
      announce(sandbox, flags, postgres?.url);
      await stopped;
    } finally {
      await postgres?.stop();
    }
  } finally {
    await sandbox.close();
  }
}

function announce(sandbox: Sandbox, flags: Flags, databaseUrl: string | undefined): void {
  const env = {
    ...sandbox.env,
    CANTON_MASTER_KEY: developmentKey(sandbox.participantId),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  };
  if (!flags.env) {
    process.stdout.write(`${JSON.stringify({ canton: sandbox.url, http: sandbox.httpUrl, env })}\n`);
    return;
  }
  process.stdout.write(exportLines({ ...env, SANDBOX_URL: sandbox.httpUrl, LOG_FORMAT: 'text' }));
  process.stderr.write(
    `the sandbox runs until Ctrl-C; source the lines above in another shell${databaseUrl === undefined ? ', and set DATABASE_URL there' : ''}\n`,
  );
}

/** The same whenever this ledger is started again, so that the keys in `users` stay readable. */
const developmentKey = (participantId: string): string =>
  createHash('sha256').update(`development key of ${participantId}`).digest('base64');

/** Undefined if it cannot start with these flags; the reason has been printed. */
async function start(flags: Flags): Promise<Sandbox | undefined> {
  try {
    return await startSandbox(optionsOf(flags));
  } catch (error) {
    const reason = startProblem(error);
    if (reason === undefined) throw error;
    process.stderr.write(`sandbox: ${reason}\n`);
    process.exitCode = exit.configuration;
    return undefined;
  }
}

function optionsOf({
  host,
  port,
  httpPort,
  seed,
  timeScale,
  latencyMs,
  dedup,
  participantId,
  state,
  apiVersion,
  registry,
}: Flags): SandboxOptions {
  return {
    host,
    port,
    httpPort,
    timeScale,
    dedup: dedup === 'on',
    ...(seed === undefined ? {} : { seed }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(participantId === undefined ? {} : { participantId }),
    ...(state === undefined ? {} : { stateFile: state }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(registry === undefined ? {} : { registry }),
  };
}

function startProblem(error: unknown): string | undefined {
  if (error instanceof BadStateFile) return error.message;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const address = 'port' in error ? `port ${error.port}` : 'the address';
  switch (error.code) {
    case 'EADDRINUSE':
      return `${address} is taken: choose another with --port or --http-port`;
    case 'EACCES':
    case 'ENOENT':
    case 'EISDIR':
    case 'EADDRNOTAVAIL':
      return error.message;
    default:
      return undefined;
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new InvalidArgumentError('a port is a number from 0 to 65535');
}

function version(text: string): string {
  if (/^3\.[4567]\.\d+(-\S+)?$/.test(text)) return text;
  throw new InvalidArgumentError('a version is 3.4.x, 3.5.x, 3.6.x or 3.7.x');
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('must be a number above 0');
}

function duration(text: string): number {
  const number = Number(text);
  if (text !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('must be milliseconds, 0 or more');
}
