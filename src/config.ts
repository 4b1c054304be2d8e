// The configuration, read once at start from the environment; all problems are reported together.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { checkDatabaseFiles, checkFiles, crossCheck, type Values } from './config/checks.js';
import { checkCredentials, masterKeyInFile, oauthOf, webhookSecretsOf } from './config/credentials.js';
import { checkPlaintext } from './config/plaintext.js';
import { hidden, withoutPassword } from './config/secrets.js';
import * as table from './config/settings.js';
import { loadTokens } from './config/tokens-file.js';
import { unknownNames } from './config/unknown-names.js';
import type { Address } from './config/values.js';
import { ConfigError } from './core/errors.js';
import type { Party } from './core/ids.js';
import type { Tokens } from './core/token.js';
import type { OauthClient } from './ledger/oauth.js';
import type { RetryPolicy } from './protocol/backoff.js';
import type { Lanes } from './protocol/lanes.js';
import type { Outcomes } from './store/pins.js';

export { ConfigError } from './core/errors.js';

/**
 * `url` and `listenUrl` contain passwords. They are not enumerable, so no dump shows them and a spread drops them.
 */
export interface DatabaseConfig {
  readonly url: string;
  readonly listenUrl: string;
  readonly poolSize: number;
  /** For people: the URL without its password. */
  readonly shown: string;
}

/** `token` is not enumerable. */
export interface AdminConfig extends Address {
  readonly token: string | null;
}

/** `url` and `secrets` are not enumerable. */
export interface WebhookConfig {
  readonly url: string;
  /** All of them sign; the receiver's current one first. */
  readonly secrets: readonly Uint8Array[];
  /** For people: where the URL leads, without its path. */
  readonly shown: string;
  readonly timeoutMs: number;
  readonly retry: Pick<RetryPolicy, 'minMs' | 'maxMs'>;
  readonly giveUpMs: number;
  readonly concurrency: number;
}

/** Needed by every command that uses the database. */
export interface DatabaseSettings {
  readonly database: DatabaseConfig;
  /** Environment variables that look like misspelt settings, and settings that look like mistakes. */
  readonly warnings: readonly string[];
}

/** Pinned by `migrate` for all instances. */
export interface PinnedSettings {
  readonly lanes: Lanes;
  readonly toleranceMs: number;
  /** Null: not set, so keep what is pinned. */
  readonly sameNonce: 'pay' | 'park' | null;
  /** Null: not set. */
  readonly outcomes: Outcomes | null;
}

/** Everything `run` needs. Durations in ms. */
export interface Config extends DatabaseSettings, PinnedSettings {
  readonly instanceId: string;
  /** Unique per process start; written to `claimed_by`. */
  readonly holder: string;
  readonly canton: {
    readonly url: string;
    readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
    readonly tokenFile: string | null;
    /** Its secret is not enumerable. */
    readonly oauth: OauthClient | null;
    readonly packages: Readonly<Record<'cip56' | 'holding' | 'transfer', string>>;
  };
  /** Null: ask at start which user the token speaks for. */
  readonly userId: string | null;
  readonly participantId: string | null;
  readonly synchronizerId: string;
  readonly issuerParty: Party;
  /** Decrypts the keys in `users`. Not enumerable. */
  readonly masterKey: Uint8Array | null;
  /** Inspect what the participant prepared before signing it. */
  readonly verifyPrepared: boolean;
  readonly tokens: Tokens;
  readonly concurrency: number;
  readonly windowMs: number;
  /** How long an offer waits for its receiver. */
  readonly offerLifetimeMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly callTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly retry: RetryPolicy;
  readonly probeMs: number;
  /** Null: go by the participant's checkpoint interval. */
  readonly lookPatienceMs: number | null;
  readonly canaryMs: number;
  /** 0: for ever. */
  readonly storiesKeptDays: number;
  readonly admin: AdminConfig | null;
  /** Null: this instance delivers none. */
  readonly webhook: WebhookConfig | null;
  readonly logLevel: string;
  readonly logFormat: 'json' | 'text';
  /** Spans for OpenTelemetry. */
  readonly traces: boolean;
}

export interface EnqueueSettings extends DatabaseSettings {
  readonly chainId: number;
  readonly tokens: Tokens;
}

/** For `migrate`, which reads its other settings itself. */
export function databaseProblems(env: NodeJS.ProcessEnv): readonly string[] {
  return read(env, z.object(table.database)).problems;
}

/** For `status` and `replay`. */
export function loadDatabaseSettings(env: NodeJS.ProcessEnv): DatabaseSettings {
  const { values, report } = read(env, z.object(table.database));
  return report(() => ({ database: databaseOf(values()) }));
}

/** For `enqueue`. */
export function loadEnqueueSettings(env: NodeJS.ProcessEnv): EnqueueSettings {
  const schema = z.object({ ...table.database, ...table.tokens, ...table.enqueueing });
  const { values, report, problems } = read(env, schema);
  const tokens = tokensOf(env.TOKENS_FILE, problems);
  return report(() => ({ database: databaseOf(values()), tokens, chainId: values().CHAIN_ID }));
}

/** For `sign`, which touches neither database nor ledger. */
export function loadSignSettings(env: NodeJS.ProcessEnv): {
  readonly tokens: Tokens;
  readonly chainId: number;
} {
  const { values, report, problems } = read(env, z.object({ ...table.tokens, ...table.enqueueing }));
  const tokens = tokensOf(env.TOKENS_FILE, problems);
  return report(() => ({ tokens, chainId: values().CHAIN_ID }));
}

export interface SandboxUserSettings extends DatabaseSettings {
  readonly tokens: Tokens;
  /** Encrypts the keys of external parties. Not enumerable. */
  readonly masterKey: Uint8Array | null;
}

/** For `sandbox user`. */
export function loadSandboxUserSettings(env: NodeJS.ProcessEnv): SandboxUserSettings {
  const { CANTON_MASTER_KEY, CANTON_MASTER_KEY_FILE } = table.canton;
  const shape = { ...table.database, ...table.tokens, CANTON_MASTER_KEY, CANTON_MASTER_KEY_FILE };
  const { values, report, problems } = read(env, z.object(shape));
  const tokens = tokensOf(env.TOKENS_FILE, problems);
  const keyInFile = masterKeyInFile(env, problems);
  return report(() =>
    hidden(
      { database: databaseOf(values()), tokens },
      { masterKey: values().CANTON_MASTER_KEY ?? keyInFile },
    ),
  );
}

/** For `run`, and for programs that embed the submitter. Throws ConfigError. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const { CHAIN_ID: _, ...shape } = table.settings;
  const { values, report, problems, warnings } = read(env, z.object(shape));
  const tokens = tokensOf(env.TOKENS_FILE, problems);
  const keyInFile = masterKeyInFile(env, problems);
  const secrets = webhookSecretsOf(env, problems);
  checkCredentials(env, problems);
  checkFiles(env, problems);
  return report(() => {
    const v = values();
    if (tokens.size === 0) warnings.push('TOKENS_FILE contains no tokens: every row will be parked');
    crossCheck(v, problems, warnings);
    checkPlaintext(v, tokens, problems);
    const instanceId = v.INSTANCE_ID ?? table.defaultInstanceId(randomBytes(3).toString('hex'));
    const shown = {
      instanceId,
      holder: `${instanceId}/${process.pid}-${randomBytes(4).toString('hex')}`,
      database: databaseOf(v),
      canton: {
        url: v.CANTON_URL,
        tls: {
          ...(v.CANTON_TLS_CA_FILE === undefined ? {} : { caFile: v.CANTON_TLS_CA_FILE }),
          ...(v.CANTON_TLS_CERT_FILE === undefined ? {} : { certFile: v.CANTON_TLS_CERT_FILE }),
          ...(v.CANTON_TLS_KEY_FILE === undefined ? {} : { keyFile: v.CANTON_TLS_KEY_FILE }),
        },
        tokenFile: v.CANTON_TOKEN_FILE ?? null,
        oauth: oauthOf(v),
        packages: {
          cip56: v.CIP56_PACKAGE,
          holding: v.HOLDING_PACKAGE,
          transfer: v.TRANSFER_PACKAGE,
        },
      },
      userId: v.CANTON_USER_ID ?? null,
      participantId: v.CANTON_PARTICIPANT_ID ?? null,
      synchronizerId: v.CANTON_SYNCHRONIZER_ID,
      issuerParty: v.CANTON_ISSUER_PARTY,
      verifyPrepared: v.VERIFY_PREPARED === 'on',
      tokens,
      ...pinnedOf(v),
      concurrency: v.CONCURRENCY,
      windowMs: v.SUBMISSION_WINDOW_MS,
      offerLifetimeMs: v.OFFER_LIFETIME_MS,
      leaseMs: v.LEASE_MS,
      pollMs: v.POLL_INTERVAL_MS,
      callTimeoutMs: v.CALL_TIMEOUT_MS,
      stopGraceMs: v.STOP_GRACE_MS,
      retry: { minMs: v.RETRY_MIN_MS, maxMs: v.RETRY_MAX_MS, maxAttempts: v.MAX_ATTEMPTS },
      probeMs: v.BREAKER_PROBE_MS,
      lookPatienceMs: v.LOOK_PATIENCE_MS ?? null,
      canaryMs: v.CANARY_INTERVAL_MS,
      storiesKeptDays: v.STORIES_KEPT_DAYS,
      admin: v.ADMIN_ADDRESS === null ? null : hidden(v.ADMIN_ADDRESS, { token: v.ADMIN_TOKEN ?? null }),
      webhook: webhookOf(v, secrets),
      logLevel: v.LOG_LEVEL,
      logFormat: v.LOG_FORMAT,
      traces: v.TRACES === 'on',
    };
    return hidden(shown, { masterKey: v.CANTON_MASTER_KEY ?? keyInFile });
  });
}

/** An empty variable counts as not set, as in `FOO=` in a compose file. */
function read<S extends z.ZodObject>(env: NodeJS.ProcessEnv, schema: S) {
  const warnings = unknownNames(env);
  const problems: string[] = [];
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
  }
  checkDatabaseFiles(env, problems);
  return {
    problems,
    warnings,
    /** Call only within `report`, when there are no problems. */
    values(): z.infer<S> {
      if (!parsed.success) throw new ConfigError(problems);
      return parsed.data;
    },
    report<T extends object>(build: () => T): T & { readonly warnings: readonly string[] } {
      // Built even if there are other problems, so that those found by `crossCheck` are reported too.
      const built = parsed.success ? build() : undefined;
      if (problems.length > 0 || built === undefined) throw new ConfigError(problems);
      // A new object would lose the properties that are not enumerable.
      return Object.assign(built, { warnings });
    },
  };
}

type DatabaseValues = z.infer<z.ZodObject<typeof table.database>>;
function databaseOf(v: DatabaseValues): DatabaseConfig {
  return hidden(
    { poolSize: v.DATABASE_POOL_SIZE, shown: withoutPassword(v.DATABASE_URL) },
    { url: v.DATABASE_URL, listenUrl: v.DATABASE_LISTEN_URL ?? v.DATABASE_URL },
  );
}

const pinnedOf = (v: z.infer<z.ZodObject<typeof table.pinned>>): PinnedSettings => ({
  lanes: v.LANES,
  toleranceMs: v.LEDGER_TIME_TOLERANCE_MS,
  sameNonce: v.SAME_NONCE ?? null,
  outcomes: v.OUTCOMES ?? null,
});

function webhookOf(v: Values, secrets: readonly Uint8Array[]): WebhookConfig | null {
  const url = v.WEBHOOK_URL;
  if (url === undefined) return null;
  const shown = {
    shown: new URL(url).origin,
    timeoutMs: v.WEBHOOK_TIMEOUT_MS,
    retry: { minMs: Math.min(v.RETRY_MIN_MS, v.WEBHOOK_RETRY_MAX_MS), maxMs: v.WEBHOOK_RETRY_MAX_MS },
    giveUpMs: v.WEBHOOK_GIVE_UP_MS,
    concurrency: v.WEBHOOK_CONCURRENCY,
  };
  return hidden(shown, { url, secrets });
}

function tokensOf(path: string | undefined, problems: string[]): Tokens {
  if (!path) return new Map();
  const loaded = loadTokens(path);
  if ('tokens' in loaded) return loaded.tokens;
  problems.push(...loaded.problems);
  return new Map();
}
