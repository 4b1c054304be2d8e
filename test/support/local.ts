// A submitter in the test's own process: the real way over real Postgres and real gRPC, its events at hand, its ports
// open to be slowed down or cut. For what needs a process of its own there is `fleet.ts`.
import { readFileSync } from 'node:fs';
import { party } from '../../src/core/ids.js';
import type { Token } from '../../src/core/token.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { SubmitterEvent } from '../../src/observe/events.js';
import { type Health, onEvent, STARTING } from '../../src/observe/health.js';
import { watchedStore } from '../../src/observe/watched-store.js';
import type { PathContext, PathSettings } from '../../src/path/given/context.js';
import { createWay, type Way } from '../../src/path/way.js';
import type { Ledger } from '../../src/ports/ledger.js';
import type { Notifications } from '../../src/ports/notifications.js';
import type { Store } from '../../src/ports/store.js';
import type { PendingVerdict, Verdict } from '../../src/protocol/verdict.js';
import { monotonic } from '../../src/runtime/clock.js';
import { openDatabase } from '../../src/store/pool.js';
import { createStore } from '../../src/store/store.js';
import { createSigner, type Signer } from '../../src/transfer/signer.js';
import { confirmHash } from './official-hash.js';
import { scaled } from './pace.js';
import { HANG_MS } from './time.js';
import { MASTER_KEY, type World } from './world.js';

export interface Local {
  readonly way: Way;
  readonly events: readonly SubmitterEvent[];
  readonly settings: PathSettings;
  readonly store: Store;
  readonly ledger: Ledger;
  /** As `/readyz` has it. */
  health(): Health;
  /** Resolves with the next event, or one already seen, that fits. */
  event<K extends SubmitterEvent['kind']>(
    kind: K,
    fits?: (event: Extract<SubmitterEvent, { kind: K }>) => boolean,
    timeoutMs?: number,
  ): Promise<Extract<SubmitterEvent, { kind: K }>>;
  stop(): Promise<void>;
}

export interface LocalOptions {
  readonly settings?: Partial<PathSettings>;
  /** Wrap a port: what the test wants to see, hold back or break. */
  readonly store?: (store: Store) => Store;
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly clock?: PathContext['clock'];
  /** Default: with the master key of the world. */
  readonly signer?: Signer;
  /** Bells for this instance; default: none at all, so that the poll alone drives it. */
  readonly notifications?: Notifications;
  /** Told of every event as it happens, from the first on. */
  readonly onEvent?: (event: SubmitterEvent) => void;
}

/** An instance's spans, unless told otherwise; all in the pace of this machine, those that a test gives too. */
const SPANS = {
  // Nobody dies here: a lease that runs out, and a window that is over, is what its test is about and says so.
  leaseMs: 120_000,
  pollMs: 300,
  canaryMs: 1_000,
  callTimeoutMs: 5_000,
  windowMs: 600_000,
  probeMs: 200,
  // So is a look that finds out nothing.
  lookPatienceMs: 60_000 as number | null,
  retry: { minMs: 20, maxMs: 200, maxAttempts: 20 },
};

const silent: Notifications = { start: async () => {}, stop: async () => {}, awake() {}, proven: () => true };
let count = 0;

interface Teardown {
  teardown(fn: () => Promise<void>): void;
}

/** TOKENS_FILE as the sandbox has written it, for a test that says something else of a token. */
export function tokensOf({ sandbox }: World): Map<string, Token> {
  const tokens = JSON.parse(readFileSync(sandbox.env.TOKENS_FILE ?? '', 'utf8')) as Record<
    string,
    Omit<Token, 'address' | 'offerIsDone'> & { readonly offerIsDone?: boolean }
  >;
  return new Map(
    Object.entries(tokens).map(([address, token]) => [
      address.toLowerCase(),
      { offerIsDone: false, ...token, address },
    ]),
  );
}

/** A row was given back for this reason; what was written of others before it, as on a slow machine, does not matter. */
export async function givenBack(
  local: Local,
  reason: RegExp,
): Promise<PendingVerdict & { lastError: string }> {
  const is = (verdict: Verdict): verdict is PendingVerdict & { lastError: string } =>
    verdict.kind === 'pending' && reason.test(verdict.lastError ?? '');
  const { verdict } = await local.event('settled', (event) => is(event.verdict));
  if (!is(verdict)) throw new Error('the event does not fit');
  return verdict;
}

export async function startLocal(t: Teardown, world: World, options: LocalOptions = {}): Promise<Local> {
  const { env } = world.sandbox;
  const issuerParty = party(env.CANTON_ISSUER_PARTY ?? '');
  const spans = { ...SPANS, ...options.settings };
  const settings: PathSettings = {
    holder: `local-${++count}`,
    concurrency: 16,
    toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
    lanes: 'sender',
    sameNonce: null,
    verifyPrepared: true,
    offerLifetimeMs: 86_400_000,
    synchronizerId: env.CANTON_SYNCHRONIZER_ID ?? '',
    issuerParty,
    participantId: null,
    tokens: tokensOf(world),
    ...options.settings,
    leaseMs: scaled(spans.leaseMs),
    pollMs: scaled(spans.pollMs),
    canaryMs: scaled(spans.canaryMs),
    callTimeoutMs: scaled(spans.callTimeoutMs),
    windowMs: scaled(spans.windowMs),
    probeMs: scaled(spans.probeMs),
    lookPatienceMs: spans.lookPatienceMs === null ? null : scaled(spans.lookPatienceMs),
    retry: { ...spans.retry, minMs: scaled(spans.retry.minMs), maxMs: scaled(spans.retry.maxMs) },
  };
  const database = openDatabase({ url: world.db.url });
  const open = createLedger({
    url: world.sandbox.url,
    userId: env.CANTON_USER_ID ?? '',
    synchronizerId: settings.synchronizerId,
    issuerParty,
    onScheme: (scheme) => emit({ kind: 'hashing-scheme', scheme }),
  });
  const confirmed: Ledger = {
    ...open,
    async prepare(transfer, maxRecordTime, call) {
      const answer = await open.prepare(transfer, maxRecordTime, call);
      if (answer.kind === 'read') await confirmHash(answer.value.transaction);
      return answer;
    },
  };
  const ledger = (options.ledger ?? ((same) => same))(confirmed);
  const events: SubmitterEvent[] = [];
  const watchers = new Set<(event: SubmitterEvent) => void>();
  const emit = (event: SubmitterEvent): void => {
    events.push(event);
    options.onEvent?.(event);
    for (const watch of [...watchers]) watch(event);
  };
  const store = watchedStore((options.store ?? ((same) => same))(createStore(database)), emit);
  const way = createWay(
    {
      settings,
      store,
      ledger,
      signer: options.signer ?? createSigner(MASTER_KEY),
      clock: options.clock ?? monotonic,
      random: Math.random,
      emit,
    },
    options.notifications ?? silent,
  );
  let stopped: Promise<void> | null = null;
  const local: Local = {
    way,
    events,
    settings,
    store,
    ledger,
    health: () => events.reduce(onEvent, STARTING),
    event(kind, fits = () => true, timeoutMs = HANG_MS) {
      type Wanted = Extract<SubmitterEvent, { kind: typeof kind }>;
      const is = (event: SubmitterEvent): event is Wanted => event.kind === kind && fits(event as Wanted);
      const seen = events.find(is);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((resolve, reject) => {
        const patience = Math.max(timeoutMs, HANG_MS);
        const timer = setTimeout(
          () =>
            reject(
              new Error(
                `no event ${kind} within ${patience} ms; last: ${JSON.stringify(events.slice(-5), (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
              ),
            ),
          patience,
        );
        // Another wait may have been enough for the test.
        timer.unref();
        const watch = (event: SubmitterEvent): void => {
          if (!is(event)) return;
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(event);
        };
        watchers.add(watch);
      });
    },
    stop() {
      stopped ??= (async () => {
        await way.stop(500);
        open.close();
        await database.close();
      })();
      return stopped;
    },
  };
  t.teardown(() => local.stop());
  await way.start();
  return local;
}
