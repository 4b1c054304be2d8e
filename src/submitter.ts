import { type Observable, Subject } from 'rxjs';
import type { Config } from './config.js';
import { ConfigError } from './core/errors.js';
import { noToken, type TokenSource, tokenFile } from './ledger/auth.js';
import { createLedger, type LedgerOptions, type OpenLedger } from './ledger/ledger.js';
import { oauthTokens } from './ledger/oauth.js';
import type { SubmitterEvent } from './observe/events.js';
import { createHealth, type Health } from './observe/health.js';
import { createInstanceState } from './observe/instance.js';
import { createTraffic } from './observe/traffic.js';
import { watchedStore } from './observe/watched-store.js';
import { createWay, type Way } from './path/way.js';
import { type Finding, words } from './preflight/finding.js';
import { beforeFirstPin } from './preflight/first-start.js';
import { monotonic } from './runtime/clock.js';
import { sleep } from './runtime/timers.js';
import { openDatabase } from './store/pool.js';
import { countShared } from './store/samples.js';
import { watchSnapshots } from './store/snapshots.js';
import { type ForMetrics, type QueueStatus, readForMetrics, readStatus, tellScheme } from './store/status.js';
import { createStore } from './store/store.js';
import { createSubscriber } from './store/subscriber.js';
import { createForgetting } from './submitter/forgetting.js';
import { createHeartbeat } from './submitter/heartbeat.js';
import { startWebhooks } from './submitter/outcomes.js';
import { createSampling } from './submitter/sampling.js';
import { cheapChecks, partiesToAsk, startProblems, untilThere } from './submitter/start-checks.js';
import { createTracing } from './submitter/tracing.js';
import { createSigner } from './transfer/signer.js';

/** One instance of the service. Any number of them, on any number of machines, may share a database. */
export interface Submitter {
  /**
   * Resolves when it listens and claims. It waits for a database or participant that cannot be reached; `health()` says so
   * meanwhile. Throws ConfigError where the database is not migrated, or pinned to other settings, and before
   * anything is pinned where the settings contradict the ledger.
   */
  start(): Promise<void>;
  /** Claims nothing more and lets go of everything within `STOP_GRACE_MS`. May be called twice, or before start. */
  stop(): Promise<'clean' | 'forced'>;
  /** Everything that happens, as typed events. Log, metrics and health are subscribers like yours. */
  readonly events$: Observable<SubmitterEvent>;
  health(): Health;
  /**
   * The queue as the database has it, for all instances. Where counting takes long, the rows are those that one instance has
   * counted for all (`countedAt`).
   */
  snapshot(): Promise<QueueStatus>;
  /** What metrics need of it, for a fraction of the cost. */
  queue(): Promise<ForMetrics>;
}

/** Between two checks of a participant that is waited for. */
const CHECK_AGAIN_MS = 1_000;
const DATABASE_CLOSE_MS = 1_000;
/** What is counted for one is every other's too. */
const SNAPSHOT_FRESH_MS = 3_000;
const WEBHOOKS_STOP_MS = 2_000;

/** Puts one instance together; `path/way.ts` is the way of a row through it. */
export function createSubmitter(config: Config): Submitter {
  const events$ = new Subject<SubmitterEvent>();
  const emit = (event: SubmitterEvent): void => events$.next(event);
  const health = createHealth(events$);

  const state = createInstanceState(events$);

  const { url, listenUrl, poolSize } = config.database;
  const database = openDatabase({ url, poolSize, applicationName: config.instanceId });
  const tracing = createTracing(config.traces, events$, emit);
  const store = watchedStore(tracing.over(createStore(database, createTraffic(events$)), database), emit);
  const ledger = openLedger(config, {
    traceOf: tracing.header,
    onScheme(scheme) {
      emit({ kind: 'hashing-scheme', scheme });
      tellScheme(database, scheme).catch((error: unknown) => emit({ kind: 'fault', where: 'status', error }));
    },
  });
  const signer = createSigner(config.masterKey);
  const notifications = createSubscriber({
    listenUrl,
    database,
    instance: config.holder,
    canaryIntervalMs: config.canaryMs,
    emit,
  });
  const heartbeat = createHeartbeat(config, { database, health, state, emit });
  const sampling = createSampling(config.holder, events$, database, emit);
  const forgetting = createForgetting(config, database, emit);
  const path = { settings: config, store, ledger, signer, clock: monotonic, random: Math.random, emit };

  const stopping = new AbortController();
  const { signal } = stopping;
  const waiting = { shown: config.database.shown, emit, signal };
  /** Built at the start: it has timers, which nobody would stop if the start were refused. */
  let way: Way | null = null;
  let snapshots: { stop(): Promise<void> } | null = null;
  let webhooks: { stop(graceMs: number): Promise<void> } | null = null;
  let stopped: Promise<'clean' | 'forced'> | null = null;

  /** Waits for the database, then refuses what waiting would not cure. */
  const checkDatabase = async (): Promise<void> => {
    const problems = await untilThere(() => startProblems(config, { database, store, signer }), waiting);
    if (problems !== null && problems.length > 0) throw new ConfigError(problems);
  };

  const contradictions = async (): Promise<readonly Finding[]> => {
    const parties = await partiesToAsk(config, database, waiting);
    return (await cheapChecks(config, { ledger, parties, signal })).findings;
  };

  /** Before the first pin: settings that contradict the ledger are refused while they have not cost a row. */
  const checkLedger = (): Promise<'pinned' | 'clear' | 'stopped'> =>
    beforeFirstPin({
      pinned: async () => (await untilThere(store.pinned, waiting))?.participant != null,
      check: contradictions,
      waiting: (reason) => emit({ kind: 'not-ready', blockers: [{ part: 'participant', reason }] }),
      warning: (what) => emit({ kind: 'warning', what }),
      signal,
      againMs: Math.min(config.probeMs, CHECK_AGAIN_MS),
    });

  /** Later they stop nobody: a fleet that has run must be able to start again, whatever a token's holders did meanwhile. */
  const tellContradictions = async (): Promise<void> => {
    try {
      for (const finding of await contradictions()) {
        if (finding.status === 'fail') emit({ kind: 'alarm', what: words(finding), txHash: null });
      }
    } catch (error) {
      if (!signal.aborted) emit({ kind: 'fault', where: 'checks', error });
    }
  };

  const stop = async (): Promise<'clean' | 'forced'> => {
    stopping.abort();
    void snapshots?.stop();
    void forgetting.stop();
    const how = way === null ? 'clean' : await way.stop(config.stopGraceMs);
    // After the last settle. What is not delivered by now, another instance delivers.
    await webhooks?.stop(Math.min(config.stopGraceMs, WEBHOOKS_STOP_MS));
    ledger.close();
    const last = Promise.all([heartbeat.stop(), sampling.stop()]).then(() => database.close());
    await Promise.race([last, sleep(DATABASE_CLOSE_MS)]);
    emit({ kind: 'stopped', clean: how === 'clean' });
    events$.complete();
    await tracing.stop();
    return how;
  };

  const shared = (over: typeof database) => countShared(over, SNAPSHOT_FRESH_MS);

  return {
    events$: events$.asObservable(),
    async start() {
      await tracing.start();
      emit({ kind: 'started', instance: config.holder });
      await checkDatabase();
      // Whose turn it is to forget, the heartbeats say.
      if (!signal.aborted) void heartbeat.start().then(() => signal.aborted || forgetting.start());
      const was = await checkLedger();
      if (signal.aborted || way !== null) return;
      way = createWay(path, notifications);
      snapshots = watchSnapshots(database, emit);
      webhooks = startWebhooks(config, events$, emit);
      sampling.start();
      await way.start();
      if (was === 'pinned') void tellContradictions();
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
    health,
    snapshot: () => readStatus(database, shared),
    queue: () => readForMetrics(database, shared),
  };
}

/** The participant, as these settings reach it. */
export const openLedger = (
  config: Config,
  watched: Pick<LedgerOptions, 'onScheme' | 'traceOf'> = {},
): OpenLedger =>
  createLedger({
    ...watched,
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
