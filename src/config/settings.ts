// Every setting: its form, its default and the reason for that value. README's table is checked against this one.
import { hostname } from 'node:os';
import { z } from 'zod';
import { LANES } from '../protocol/lanes.js';
import {
  cantonUrl,
  httpUrl,
  integer,
  listenAddress,
  listOf,
  masterKey,
  milliseconds,
  oneOf,
  optional,
  packageName,
  partyId,
  postgresUrl,
  required,
  type Shown,
  secretText,
  text,
  withDefault,
} from './values.js';
import { webhooks } from './webhook-settings.js';

export const database = {
  DATABASE_URL: required(
    postgresUrl,
    "the middleware's database, `postgres://…`; several hosts and `target_session_attrs` as in libpq",
  ),
  DATABASE_LISTEN_URL: optional(
    postgresUrl,
    'for LISTEN, if `DATABASE_URL` leads to a pooler that does not support it',
    '`DATABASE_URL`',
  ),
  // One each for claims, looks and settling, and one so that renewals never wait for any of these.
  DATABASE_POOL_SIZE: withDefault(integer(1, 100), '4', 'connections for rows; up to 5 more for other work'),
};

export const pinned = {
  LANES: withDefault(
    oneOf(...LANES),
    'sender',
    'one transfer in flight per sender, in nonce order; `holdings`: several, begun in nonce order, as long as they spend different holdings; `off` for senders who manage their holdings themselves. Pinned by `migrate`',
  ),
  // Canton's default ledgerTimeRecordTimeTolerance. Part of the bound of every submission.
  LEDGER_TIME_TOLERANCE_MS: withDefault(
    milliseconds(0),
    '60000',
    "the synchronizer's `ledgerTimeRecordTimeTolerance`. Pinned by `migrate`",
  ),
  CLOCK_SKEW_MAX_MS: withDefault(
    milliseconds(0),
    '60000',
    "how far the database's clock and the ledger's may differ. Read and pinned by `migrate` only",
  ),
  SAME_NONCE: optional(
    oneOf('pay', 'park'),
    "whether a sender's second transaction with the same nonce is paid too, or parked. Pinned by `migrate`",
    '`pay`, then the pinned value',
  ),
  OUTCOMES: optional(
    oneOf('off', 'consumers', 'webhooks'),
    'whether every outcome is kept for others: for consumers of the library, or for them and `WEBHOOK_URL`. Pinned by `migrate`',
    '`off`, then the pinned value',
  ),
};

export const canton = {
  CANTON_URL: required(
    cantonUrl,
    'the participant, `host:port`, or `https://host:port` for TLS: exactly one, or its HA replicas',
  ),
  CANTON_TLS_CA_FILE: optional(text, 'PEM', "Node's authorities and those in `NODE_EXTRA_CA_CERTS`"),
  CANTON_TLS_CERT_FILE: optional(text, 'PEM, for mutual TLS, together with the key'),
  CANTON_TLS_KEY_FILE: optional(text, 'PEM'),
  CANTON_TOKEN_FILE: optional(text, 'a bearer token that something else renews; checked before every call'),
  CANTON_OAUTH_TOKEN_URL: optional(
    httpUrl,
    'OAuth2 client credentials, instead of a token file; all four or none, and the scope where it is needed. `NODE_EXTRA_CA_CERTS` for a private CA',
  ),
  CANTON_OAUTH_CLIENT_ID: optional(text, 'the OAuth2 client id'),
  CANTON_OAUTH_CLIENT_SECRET: optional(secretText, 'its secret'),
  CANTON_OAUTH_AUDIENCE: optional(text, 'the audience of the token'),
  // canton-middleware asks without one.
  CANTON_OAUTH_SCOPE: optional(text, 'its scope, where one is needed: Entra (`api://…/.default`), Okta'),
  CANTON_USER_ID: optional(
    text,
    'the ledger user, part of what the participant deduplicates by. Pinned by the first `run`',
    "the token's subject; required without a token",
  ),
  CANTON_PARTICIPANT_ID: optional(text, 'needed if the token may not ask for it', 'asked'),
  CANTON_SYNCHRONIZER_ID: required(text, 'where we submit; its time decides. Pinned by the first `run`'),
  CANTON_ISSUER_PARTY: required(partyId, "the middleware's issuer, `name::1220…`"),
  CANTON_MASTER_KEY: optional(
    masterKey,
    "the middleware's key, base64 of 32 bytes: decrypts the keys in `users`",
    'none; required if `users` contains keys',
  ),
  CANTON_MASTER_KEY_FILE: optional(text, 'the same, in a file'),
  VERIFY_PREPARED: withDefault(
    oneOf('on', 'off'),
    'on',
    'before an external party signs, check that the prepared transaction does what the row says; `off` trusts the participant with every key',
  ),
  ALLOW_PLAINTEXT: optional(
    listOf('canton', 'registry', 'webhook'),
    'what may go over a network unencrypted, comma-separated: `canton` (the token to `CANTON_URL`), `registry` (an http `registryUrl`), `webhook` (an http `WEBHOOK_URL`)',
  ),
  CIP56_PACKAGE: withDefault(packageName, '#cip56-token', 'package of the holdings and the transfer factory'),
  HOLDING_PACKAGE: withDefault(
    packageName,
    '#splice-api-token-holding-v1',
    'package of the holding interface',
  ),
  TRANSFER_PACKAGE: withDefault(
    packageName,
    '#splice-api-token-transfer-instruction-v1',
    'package of the transfer interface',
  ),
};

export const tokens = {
  TOKENS_FILE: required(
    text,
    'JSON: `{"0x…": {"name", "symbol", "decimals", "instrumentAdmin", "instrumentId", "registryUrl"?, "steps"?: 1 or 2, "offerIsDone"?, "takesExpiredLocks"?, "maxInputs"?, "holding"?: {"template", "owner", "amount", "admin", "id"?, "lock"?}}}`',
  ),
};

export const running = {
  INSTANCE_ID: optional(
    text,
    'the name of this process in `claimed_by`, logs and the status',
    `host name and a random suffix`,
  ),
  CONCURRENCY: withDefault(integer(1, 10_000), '64', 'submissions in flight in this process'),
  // Renewed every third of this time, so two renewals may fail, or the event loop may stall for 20 s, before a lease
  // is lost.
  LEASE_MS: withDefault(
    milliseconds(200, 3_600_000),
    '30000',
    'how long a claim lasts without renewal, and so how long rows of a killed process wait. At least 200',
  ),
  // A safety net, not the normal path: a missed notification costs at most this; an idle instance, 12 cheap
  // statements a minute.
  POLL_INTERVAL_MS: withDefault(
    milliseconds(50, 3_600_000),
    '5000',
    'how often to claim without a notification, ± 20 %. At least 50',
  ),
  // As in canton-middleware: commits take 5 to 15 s, and after four times that the answer has been lost.
  CALL_TIMEOUT_MS: withDefault(
    milliseconds(100),
    '60000',
    'when a submission without an answer is given up as unknown. At least 100',
  ),
  // Same as the lease: a dead process's lease and the time its transfers may still be accepted end together.
  SUBMISSION_WINDOW_MS: withDefault(
    milliseconds(500, 60_000),
    '30000',
    'how long after its claim a transfer may reach the ledger. 500 to 60000',
  ),
  // Much longer than any window, because a transfer's own bound has to come first; and Canton Coin's registry takes 90 days
  // (`tokenStandardMaxTTL`), which begin when the row was made.
  OFFER_LIFETIME_MS: withDefault(
    milliseconds(600_000, 7_689_600_000),
    '86400000',
    'how long the offer of a two-step transfer waits for its receiver (canton-middleware: 30 days). 600000 to 7689600000 (89 days)',
  ),
  // Twice the slowest usual commit.
  STOP_GRACE_MS: withDefault(
    milliseconds(0),
    '30000',
    'how long to wait after SIGTERM for what is in flight',
  ),
  // Contention ends with the other transfer's commit: a few hundred ms at least, so start there and double.
  RETRY_MIN_MS: withDefault(milliseconds(1), '500', 'the first backoff after a refusal that may pass'),
  RETRY_MAX_MS: withDefault(milliseconds(1), '60000', 'the longest backoff'),
  // 20 attempts with average backoffs of 0.25 to 30 s: about 7 minutes of refusals before a person has to look.
  MAX_ATTEMPTS: withDefault(
    integer(1, 100_000),
    '20',
    'after so many attempts a row is parked, never failed',
  ),
  BREAKER_PROBE_MS: withDefault(
    milliseconds(50),
    '5000',
    'how often each instance tries one row on a participant that refuses everything',
  ),
  LOOK_PATIENCE_MS: optional(
    milliseconds(100),
    'how long one look waits for the ledger to tell what became of a row',
    "the participant's checkpoint interval + 5 s",
  ),
  // It must be heard within 2 s, so a deaf listener is found within twelve seconds.
  CANARY_INTERVAL_MS: withDefault(
    milliseconds(100),
    '10000',
    'how often the listener is tested with a notification of its own',
  ),
  // A dispute about a transfer comes within weeks; a million rows a day are then 30 GB.
  STORIES_KEPT_DAYS: withDefault(
    integer(0, 36_500),
    '90',
    'how long what `show` tells of attempts is kept after they ended, whatever becomes of their rows; 0: for ever. The same for every instance',
  ),
  ADMIN_ADDRESS: withDefault(
    listenAddress,
    '127.0.0.1:9464',
    'where the page (`/`), `/livez`, `/readyz`, `/metrics` and `/status` are served; port 0 picks a free one, `off` disables them',
  ),
  ADMIN_TOKEN: optional(
    secretText,
    'bearer token required by all of these except `/livez`; the page asks for it',
  ),
};

export const logging = {
  LOG_LEVEL: withDefault(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    '`debug` logs every step of every row',
  ),
  LOG_FORMAT: withDefault(
    oneOf('json', 'text'),
    'json',
    'one JSON object a line, or `text` for a person at a terminal',
  ),
  TRACES: withDefault(
    oneOf('on', 'off'),
    'off',
    'a span for each attempt of a row, through the OpenTelemetry SDK that the process was started with (docs/traces.md)',
  ),
};

export const enqueueing = {
  CHAIN_ID: required(
    integer(1, Number.MAX_SAFE_INTEGER),
    'chain id of the Ethereum facade whose transactions `enqueue` accepts',
    'required by `enqueue`',
  ),
};

/** All settings, in the order of README's table. */
export const settings = {
  ...database,
  ...canton,
  ...tokens,
  ...pinned,
  ...running,
  ...webhooks,
  ...logging,
  ...enqueueing,
};

export type SettingName = keyof typeof settings;
export const settingNames = Object.keys(settings) as SettingName[];

export const describe = (name: SettingName): { fallback: string; about: string } => {
  const { fallback, about } = z
    .object({ fallback: z.string(), about: z.string() })
    .parse(settings[name].meta());
  return { fallback, about };
};

/** The settings that are set, as a log may show them: a secret is `***`, a URL is without its password. */
export function shownSettings(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const shown = settingNames.flatMap((name) => {
    const text = env[name];
    return text ? [[name, shownAs(name, text)] as const] : [];
  });
  return Object.fromEntries(shown);
}

function shownAs(name: SettingName, text: string): string {
  const { show } = settings[name].meta() as Partial<Shown>;
  return show === undefined ? text : show(text);
}

/** Unique enough for a fleet, and short enough to read in `claimed_by`. */
export const defaultInstanceId = (random: string): string => `${hostname()}-${random}`;
