// `canton-submitter sandbox`: a participant of its own process, for anything to be pointed at.
import { Command, InvalidArgumentError, Option } from 'commander';
import { BadStateFile, type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/index.js';

const EXIT_CONFIGURATION = 2;

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
}

export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description('start a Canton participant to test against; its first line says where it is')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'Ledger API; 0 takes a free one', port, 6865)
    .option('--http-port <n>', 'audit log, faults, parties; 0 takes a free one', port, 6866)
    .option('--seed <text>', 'repeats latencies, ids and probabilities')
    .option('--time-scale <factor>', 'all of the durations of Canton times this', positive, 1)
    .option(
      '--latency-ms <n>',
      'literal milliseconds a submission takes (default: 5 to 15 s, scaled)',
      duration,
    )
    .addOption(
      new Option('--dedup <on|off>', 'command deduplication and in-flight check')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option('--participant-id <id>', 'what GetParticipantId says')
    .option(
      '--api-version <version>',
      'what it is: 3.4.x (default), 3.5.x, 3.6.x or 3.7.x, with the calls and fields of that version',
      version,
    )
    .option('--registry', 'tokens of another admin too, with its registry on the HTTP port')
    .option('--state <file>', 'keep the ledger here, and go on from it')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const stopped = stopSignal();
  const sandbox = await start(flags);
  if (!sandbox) return;
  process.stdout.write(
    `${JSON.stringify({ canton: sandbox.url, http: sandbox.httpUrl, env: sandbox.env })}\n`,
  );
  await stopped;
  await sandbox.close();
}

/** Undefined, with the reason said, where it cannot start with these flags. */
async function start(flags: Flags): Promise<Sandbox | undefined> {
  try {
    return await startSandbox(optionsOf(flags));
  } catch (error) {
    const reason = startProblem(error);
    if (reason === undefined) throw error;
    process.stderr.write(`sandbox: ${reason}\n`);
    process.exitCode = EXIT_CONFIGURATION;
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
      return `${address} is taken; give another with --port or --http-port`;
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
