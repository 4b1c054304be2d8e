import { type Observable, Subject } from 'rxjs';
import type { Config } from './config.js';
import { backoffMs } from './core/backoff.js';
import { ConfigError, StoreUnavailable } from './core/errors.js';
import { noToken, type TokenSource, tokenFile } from './ledger/auth.js';
import { createLedger, type OpenLedger } from './ledger/ledger.js';
import { oauthTokens } from './ledger/oauth.js';
import type { SubmitterEvent } from './observe/events.js';
import { createHealth, type Health } from './observe/health.js';
import type { PathSettings } from './path/context.js';
import { disagreement } from './path/identify.js';
import { watchedStore } from './path/watched-store.js';
import { createWay, type Way } from './path/way.js';
import { monotonic } from './runtime/clock.js';
import { pause } from './runtime/timers.js';
import { hiddenRows, schemaProblems } from './store/check.js';
import { roleProblem } from './store/errors.js';
import { storedKeys } from './store/keys.js';
import { openDatabase } from './store/pool.js';
import { watchSnapshots } from './store/snapshots.js';
import { type QueueStatus, readStatus } from './store/status.js';
import { createStore } from './store/store.js';
import { createSubscriber } from './store/subscriber.js';
import { masterKeyProblem } from './transfer/master-key.js';
import { createSigner, type Signer } from './transfer/signer.js';

/** One instance of the service. Any number of them, on any number of machines, may share a database. */
export interface Submitter {
  /**
   * Resolves when it listens and claims. A database or participant that cannot be reached is waited for; `health()`
   * says so meanwhile. Throws ConfigError where the database is not migrated, or pinned to other settings.
   */
  start(): Promise<void>;
  /** Claims nothing more and lets go of everything within `STOP_GRACE_MS`. May be called twice, or before start. */
  stop(): Promise<'clean' | 'forced'>;
  /** Everything that happens, as typed events. Log, metrics and health are subscribers like yours. */
  readonly events$: Observable<SubmitterEvent>;
  health(): Health;
  /** The queue as the database has it: for all instances. */
  snapshot(): Promise<QueueStatus>;
}

const AGAIN = { minMs: 500, maxMs: 5_000 };
const DATABASE_CLOSE_MS = 1_000;

/** Puts one instance together: notification → wake-up → claim → transfer → outcome → settle (`path/way.ts`). */
export function createSubmitter(config: Config): Submitter {
  const events$ = new Subject<SubmitterEvent>();
  const emit = (event: SubmitterEvent): void => events$.next(event);
  const health = createHealth(events$);

  const { url, listenUrl, poolSize } = config.database;
  const database = openDatabase({ url, poolSize, applicationName: config.instanceId });
  const store = watchedStore(createStore(database), emit);
  const ledger = openLedger(config);
  const signer = createSigner(config.masterKey);
  const notifications = createSubscriber({
    listenUrl,
    database,
    instance: config.holder,
    canaryIntervalMs: config.canaryMs,
    emit,
  });
  const settings = settingsOf(config);
  const path = { settings, store, ledger, signer, clock: monotonic, random: Math.random, emit };

  const stopping = new AbortController();
  /** Put together at the start: it has timers, which nobody would stop where the start is refused. */
  let way: Way | null = null;
  let snapshots: { stop(): Promise<void> } | null = null;
  let stopped: Promise<'clean' | 'forced'> | null = null;

  /** Waits for the database, then refuses what no waiting would mend. */
  const checkDatabase = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        const problems = await refusals(config, {
          pinned: store.pinned,
          schema: (lanes) => schemaProblems(database, lanes),
          hidden: () => hiddenRows(database),
          keys: () => storedKeys(database),
          signer,
        });
        if (problems.length > 0) throw new ConfigError(problems);
        if (failures > 0) emit({ kind: 'database', state: 'back', detail: '' });
        return;
      } catch (error) {
        const role = roleProblem(error, config.database.shown);
        if (role !== null) throw new ConfigError([role]);
        if (!(error instanceof StoreUnavailable)) throw error;
        const detail = `DATABASE_URL ${config.database.shown}: ${error.message}`;
        if (failures === 0) emit({ kind: 'database', state: 'lost', detail });
        else emit({ kind: 'fault', where: 'start', error: new StoreUnavailable(detail, { cause: error }) });
        await pause(backoffMs(failures, AGAIN, Math.random), stopping.signal);
      }
    }
  };

  const stop = async (): Promise<'clean' | 'forced'> => {
    stopping.abort();
    void snapshots?.stop();
    const how = way === null ? 'clean' : await way.stop(config.stopGraceMs);
    ledger.close();
    await Promise.race([database.close(), pause(DATABASE_CLOSE_MS)]);
    emit({ kind: 'stopped', clean: how === 'clean' });
    events$.complete();
    return how;
  };

  return {
    events$: events$.asObservable(),
    async start() {
      emit({ kind: 'started', instance: config.holder });
      await checkDatabase();
      if (stopping.signal.aborted || way !== null) return;
      way = createWay(path, notifications);
      snapshots = watchSnapshots(database, emit);
      await way.start();
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
    health,
    snapshot: () => readStatus(database),
  };
}

interface Questions {
  pinned(): ReturnType<ReturnType<typeof createStore>['pinned']>;
  schema(lanes: Config['lanes']): Promise<readonly string[]>;
  hidden(): Promise<readonly string[]>;
  keys(): ReturnType<typeof storedKeys>;
  readonly signer: Signer;
}

/** What makes a start pointless until a person did something. */
async function refusals(config: Config, ask: Questions): Promise<readonly string[]> {
  const hidden = await ask.hidden();
  if (hidden.length > 0) return hidden;
  const pinned = await ask.pinned();
  if (pinned === null) return ['the database is not migrated: run `canton-submitter migrate` first'];
  const odd = disagreement(pinned, config);
  if (odd !== null) return [odd];
  const schema = (await ask.schema(pinned.lanes)).map(
    (problem) => `the database is not as \`migrate\` leaves it: ${problem}; run \`canton-submitter migrate\``,
  );
  const key = masterKeyProblem(config.masterKey, ask.signer, await ask.keys());
  return key === null ? schema : [...schema, key];
}

/** The participant, as these settings reach it. */
export const openLedger = (config: Config): OpenLedger =>
  createLedger({
    url: config.canton.url,
    tls: config.canton.tls,
    tokens: tokenSource(config.canton),
    packages: config.canton.packages,
    userId: config.userId,
    synchronizerId: config.synchronizerId,
    issuerParty: config.issuerParty,
  });

const tokenSource = ({ tokenFile: path, oauth }: Config['canton']): TokenSource =>
  path !== null ? tokenFile(path) : oauth !== null ? oauthTokens(oauth) : noToken;

function settingsOf(config: Config): PathSettings {
  const {
    holder,
    concurrency,
    leaseMs,
    pollMs,
    canaryMs,
    callTimeoutMs,
    windowMs,
    toleranceMs,
    probeMs,
    lookPatienceMs,
  } = config;
  const { retry, lanes, verifyPrepared, synchronizerId, issuerParty, participantId, tokens } = config;
  return {
    holder,
    concurrency,
    leaseMs,
    pollMs,
    canaryMs,
    callTimeoutMs,
    windowMs,
    toleranceMs,
    probeMs,
    lookPatienceMs,
    retry,
    lanes,
    verifyPrepared,
    synchronizerId,
    issuerParty,
    participantId,
    tokens,
  };
}
