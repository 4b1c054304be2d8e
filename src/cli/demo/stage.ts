// Starts everything the demo needs (Postgres, a migrated database, a participant, submitters), and stops it again.
import { randomBytes } from 'node:crypto';
import { settingNames } from '../../config/settings.js';
import { loadTokens } from '../../config/tokens-file.js';
import { ConfigError } from '../../core/errors.js';
import type { Token } from '../../core/token.js';
import { migrate } from '../../store/migrate/migrate.js';
import { type Database, openDatabase } from '../../store/pool.js';
import { type SandboxAt, sandboxAt } from '../support/sandbox-at.js';
import { missing, startPostgres } from '../support/throwaway-postgres.js';
import { type Child, startChild } from './processes.js';

export interface StageOptions {
  readonly seed: string;
  readonly latencyMs?: number;
}

export interface Stage {
  readonly database: Database;
  readonly participant: SandboxAt;
  readonly tokens: readonly Token[];
  readonly chainId: number;
  /** Encrypts the keys of external parties; the middleware and every submitter have it. */
  readonly masterKey: Uint8Array;
  /** Resolves when all of them claim. */
  startSubmitters(count: number): Promise<readonly Child[]>;
  stopSubmitters(): Promise<void>;
}

/** Undoes what was added, the last first, even if only half of the stage was set. */
export interface Teardown {
  add(undo: () => Promise<unknown>): void;
  run(): Promise<void>;
}

export function createTeardown(): Teardown {
  let steps: (() => Promise<unknown>)[] = [];
  return {
    add(undo) {
      steps.push(undo);
    },
    async run() {
      const undo = steps.reverse();
      steps = [];
      for (const one of undo) await one().catch(() => {});
    },
  };
}

export async function setStage({ seed, latencyMs }: StageOptions, teardown: Teardown): Promise<Stage> {
  const postgres = startPostgres({ settings: { track_functions: 'pl' } });
  teardown.add(async () => (await postgres).stop());
  // A real ledger's commit times (5 to 15 s) and its other times, ten times as fast.
  const pace = latencyMs === undefined ? ['--time-scale', '0.1'] : ['--latency-ms', String(latencyMs)];
  const sandbox = startChild(
    'the sandbox',
    ['sandbox', '--port', '0', '--http-port', '0', '--seed', seed, ...pace],
    {},
  );
  teardown.add(() => sandbox.stop());

  const [server, first] = await Promise.all([
    postgres.catch(missing),
    sandbox.line((line) => line.startsWith('{')),
  ]);
  const { http, env } = JSON.parse(first) as { http: string; env: Record<string, string> };
  const tokens = tokensOf(env.TOKENS_FILE ?? '');
  await migrate({
    url: server.url,
    lanes: null,
    toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
    clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
    oneStepTokens: tokens.map(({ address }) => address),
    create: true,
    say: () => {},
  });
  const database = openDatabase({ url: server.url, poolSize: 8, applicationName: 'the demo' });
  teardown.add(() => database.close());

  const masterKey = randomBytes(32);
  let submitters: readonly Child[] = [];
  const stopSubmitters = async (): Promise<void> => {
    await Promise.all(submitters.map((child) => child.stop()));
  };
  teardown.add(stopSubmitters);
  return {
    database,
    participant: sandboxAt(http),
    tokens,
    chainId: Number(env.CHAIN_ID),
    masterKey,
    async startSubmitters(count) {
      submitters = Array.from({ length: count }, (_, index) => {
        const INSTANCE_ID = `demo-${index + 1}`;
        const CANTON_MASTER_KEY = masterKey.toString('base64');
        const settings = {
          ...SUBMITTER,
          ...env,
          ...WINDOW,
          CANTON_MASTER_KEY,
          DATABASE_URL: server.url,
          INSTANCE_ID,
        };
        return startChild(INSTANCE_ID, ['run'], settings);
      });
      const said = (message: string) =>
        Promise.all(submitters.map((one) => one.line((line) => line.includes(message))));
      await Promise.all([said('"msg":"ready"'), said('"msg":"listener connected"')]);
      return submitters;
    },
    stopSubmitters,
  };
}

/**
 * Settings in the environment of whoever starts the demo are for production, not for the demo; '' counts as not set.
 */
const UNSET = Object.fromEntries(settingNames.map((name) => [name, '']));
/** The window is the submitter's choice, and production's, so that a busy machine does not make a transfer late. */
const SUBMITTER = { ...UNSET, ADMIN_ADDRESS: 'off', LOG_LEVEL: 'info' };
const WINDOW = { SUBMISSION_WINDOW_MS: '30000' };

function tokensOf(path: string): Token[] {
  const loaded = loadTokens(path);
  if ('problems' in loaded) throw new ConfigError(loaded.problems);
  return [...loaded.tokens.values()];
}
