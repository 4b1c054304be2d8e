import { Command } from 'commander';
import { type AdminSources, startAdmin } from '../admin/server.js';
import { secretsOf } from '../config/secrets.js';
import { shownSettings } from '../config/settings.js';
import { type Config, loadConfig } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { createInstanceState } from '../observe/instance.js';
import { createLogger, logEvents } from '../observe/log.js';
import { createMetrics } from '../observe/metrics.js';
import type { PageSource } from '../observe/page.js';
import { cached } from '../observe/queue.js';
import { monotonic } from '../runtime/clock.js';
import { packageVersion } from '../runtime/version.js';
import { createSubmitter, type Submitter } from '../submitter.js';
import { exit, HintedError } from './exit.js';
import { openPage } from './run/page.js';

/** A trial needs none of the settings. */
const TRY = 'To see it work without any settings: npm run demo';

function configuration(env: NodeJS.ProcessEnv): Config {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError) || (env.DATABASE_URL && env.CANTON_URL)) throw error;
    throw new HintedError(error.problems, TRY);
  }
}

/**
 * Resolves at the first SIGTERM or SIGINT; the second ends the process at once, and the leases cover what was in
 * flight.
 */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        signals += 1;
        if (signals > 1) process.exit(exit.forced);
        resolve(signal);
      });
    }
  });
}

async function run(): Promise<void> {
  const config = configuration(process.env);
  const stopped = stopSignal();
  const { admin: address } = config;
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    instance: config.instanceId,
    secrets: secretsOf(config),
  });
  process.on('uncaughtExceptionMonitor', (error) =>
    log.fatal({ err: error }, 'uncaught exception: the process ends'),
  );
  log.info(
    { version: packageVersion(), node: process.version, settings: shownSettings(process.env) },
    'starting',
  );
  for (const warning of config.warnings) log.warn(warning);

  const submitter = createSubmitter(config);
  const { events$ } = submitter;
  logEvents(log, events$, monotonic);
  // Before anything is claimed: if the port is taken, the process ends here, with nothing in flight.
  const page = openPage(config, submitter);
  const admin =
    address === null ? null : await startAdmin(address, adminSources(config, submitter, page.source));
  if (admin !== null) log.info({ url: admin.url }, 'admin server listens');
  try {
    await Promise.race([submitter.start(), stopped]);
    const signal = await stopped;
    log.info({ signal }, 'stopping; a second signal stops at once');
  } finally {
    const how = await submitter.stop();
    await admin?.close();
    void page.close();
    if (how === 'forced') process.exitCode = exit.forced;
  }
  // Nothing is left to do; a socket that somebody else keeps open must not keep the process alive.
  process.exit();
}

function adminSources(config: Config, submitter: Submitter, page: PageSource): AdminSources {
  const { events$ } = submitter;
  const snapshot = cached(() => submitter.snapshot(), monotonic);
  const state = createInstanceState(events$);
  return {
    health: () => submitter.health(),
    snapshot,
    instance: () => ({
      id: config.instanceId,
      holder: config.holder,
      concurrency: config.concurrency,
      ...state(),
    }),
    metrics: createMetrics({
      events$,
      queue: cached(() => submitter.queue(), monotonic),
      clock: monotonic,
      version: packageVersion(),
    }),
    page,
  };
}

export function runCommand(): Command {
  return new Command('run')
    .description('submit transfers until SIGTERM; any number of instances can share one database')
    .addHelpText(
      'after',
      `
Settings come from the environment (or --env-file); README.md lists them. The database must have been prepared by
\`migrate\`. On SIGTERM or SIGINT it stops claiming, finishes what is in flight within STOP_GRACE_MS, and exits with 0; a
second signal makes it exit with 130 at once.

Examples:
  canton-submitter run --env-file /etc/canton-submitter/env
  canton-submitter run | tee submitter.log`,
    )
    .action(run);
}
