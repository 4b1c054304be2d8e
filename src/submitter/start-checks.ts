// What a start checks before anything is claimed: the database, and before the first pin the participant.
import type { Config } from '../config.js';
import { ConfigError, StoreUnavailable } from '../core/errors.js';
import type { OpenLedger } from '../ledger/ledger.js';
import type { SubmitterEvent } from '../observe/events.js';
import { disagreementWords, notAsMigrated } from '../path/given/participant.js';
import { disagreement } from '../path/participant/identify.js';
import { CHECK_READ_MS, type Preflight, preflight } from '../preflight/preflight.js';
import { backoffMs } from '../protocol/backoff.js';
import { sleep } from '../runtime/timers.js';
import { hiddenRows, lackingForWebhooks, lackingPrivileges, schemaProblems } from '../store/check.js';
import { roleProblem } from '../store/errors.js';
import { readOutcomes } from '../store/outbox.js';
import type { Database } from '../store/pool.js';
import type { createStore } from '../store/store.js';
import { storedKeys, userParties } from '../store/users.js';
import { masterKeyProblem, type Signer } from '../transfer/signer.js';
import { outcomesProblem } from './outcomes.js';

type Pins = Pick<ReturnType<typeof createStore>, 'pinned'>;

export interface Questions {
  readonly database: Database;
  readonly store: Pins;
  readonly signer: Signer;
}

/** What makes a start pointless until a person has done something. */
export async function startProblems(
  config: Config,
  { database, store, signer }: Questions,
): Promise<string[]> {
  const hidden = await hiddenRows(database);
  if (hidden.length > 0) return [...hidden];
  // Some privileges are needed only once there are rows: without this it would start, be ready, and fail at the first row.
  const lacking = await lackingPrivileges(database);
  if (lacking.length > 0) return [grantIt(lacking)];
  const pinned = await store.pinned();
  if (pinned === null) return ['the database is not migrated: run `canton-submitter migrate` first'];
  const odd = disagreement(pinned, config);
  if (odd !== null) return [disagreementWords(odd)];
  const kept = await outcomesProblem(config, database);
  if (kept !== null) return [kept];
  const forWebhooks = config.webhook === null ? [] : await lackingForWebhooks(database);
  if (forWebhooks.length > 0) return [grantIt(forWebhooks)];
  const outcomes = (await readOutcomes(database)) ?? 'off';
  const schema = (await schemaProblems(database, pinned.lanes, pinned.sameNonce, outcomes)).map((problem) =>
    notAsMigrated([problem]),
  );
  const key = masterKeyProblem(config.masterKey, signer, await storedKeys(database));
  return key === null ? schema : [...schema, key];
}

const grantIt = (lacking: readonly string[]): string =>
  `the role of DATABASE_URL lacks ${lacking.join(', ')}: grant it; docs/operations.md, "Privileges", lists what each role needs`;

const AGAIN = { minMs: 500, maxMs: 5_000 };

/** What waiting needs. */
export interface Waiting {
  /** DATABASE_URL without its password. */
  readonly shown: string;
  readonly emit: (event: SubmitterEvent) => void;
  readonly signal: AbortSignal;
}

/** Waits for the database; null where the wait was ended. Throws ConfigError for what waiting would not cure. */
export async function untilThere<T>(
  ask: () => Promise<T>,
  { shown, emit, signal }: Waiting,
): Promise<T | null> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const answer = await ask();
      if (failures > 0) emit({ kind: 'database', state: 'back', detail: '' });
      return answer;
    } catch (error) {
      const role = roleProblem(error, shown);
      if (role !== null) throw new ConfigError([role]);
      if (!(error instanceof StoreUnavailable)) throw error;
      const detail = `DATABASE_URL ${shown}: ${error.message}`;
      if (failures === 0) emit({ kind: 'database', state: 'lost', detail });
      else emit({ kind: 'fault', where: 'start', error: new StoreUnavailable(detail, { cause: error }) });
      await sleep(backoffMs(failures, AGAIN, Math.random), signal);
    }
  }
  return null;
}

/** How many users' holdings are searched for instruments of other admins. */
const USERS_SEEN = 20;

/** `parties`: some of `users`. */
export const cheapChecks = (
  config: Config,
  { ledger, parties, signal }: CheapQuestions,
): Promise<Preflight> =>
  preflight({ ledger, settings: config, parties }, { timeoutMs: CHECK_READ_MS, signal });

export interface CheapQuestions {
  readonly ledger: OpenLedger;
  readonly parties: readonly string[];
  readonly signal: AbortSignal;
}

/** Instruments of other admins show only in their holdings. */
export async function partiesToAsk(
  config: Config,
  database: Database,
  waiting: Waiting,
): Promise<readonly string[]> {
  if ([...config.tokens.values()].every(({ registryUrl }) => registryUrl === undefined)) return [];
  const users = await untilThere(() => userParties(database, USERS_SEEN), waiting);
  return (users ?? []).map(({ party }) => party);
}
