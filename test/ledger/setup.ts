import { randomBytes, randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Holdings } from '../../src/core/holding.js';
import { microsOf, type Party, party, type TxHash } from '../../src/core/ids.js';
import type { HostedSubmission } from '../../src/core/transfer.js';
import { createLedger, type LedgerOptions, type OpenLedger } from '../../src/ledger/ledger.js';
import type { Read } from '../../src/ports/ledger.js';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/index.js';
import { startPacedSandbox } from '../support/paced-sandbox.js';

export const TIMEOUT = { timeoutMs: 60_000 };
export const DEMO = 'DEMO';
export const UNIT = 10n ** 10n;

export interface Bench {
  readonly sandbox: Sandbox;
  readonly ledger: OpenLedger;
  readonly alice: Party;
  readonly bob: Party;
  /** Alice has 100 DEMO in two holdings, 60 and 40. */
  transfer(change?: Partial<HostedSubmission>): Promise<HostedSubmission>;
}

/** A sandbox of its own and a ledger connected to it; both go with the test. */
export async function bench(
  t: ExecutionContext,
  options: SandboxOptions = {},
  change: Partial<LedgerOptions> = {},
): Promise<Bench> {
  const sandbox = await startPacedSandbox({ timeScale: 0.02, latencyMs: 10, seed: t.title, ...options });
  const [alice, bob] = sandbox.createParties([
    {
      hint: 'alice',
      holdings: [
        { token: DEMO, amount: '60' },
        { token: DEMO, amount: '40' },
      ],
    },
    { hint: 'bob' },
  ]) as [string, string];
  const ledger = createLedger({ ...optionsFor(sandbox), ...change });
  t.teardown(async () => {
    ledger.close();
    await sandbox.close();
  });
  await connected(ledger);
  return {
    sandbox,
    ledger,
    alice: party(alice),
    bob: party(bob),
    async transfer(changed = {}) {
      const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
      const { holdings } = heldIn(await ledger.holdings([party(alice)], at, TIMEOUT));
      const [factoryId] = valueIn(await ledger.transferFactories(sandbox.issuer, at, TIMEOUT));
      const now = Date.now();
      return {
        commandId: `0x${randomBytes(32).toString('hex')}` as TxHash,
        submissionId: randomUUID(),
        factory: { kind: 'own', contractId: factoryId ?? 'none' },
        sender: party(alice),
        receiver: party(bob),
        admin: sandbox.issuer,
        instrumentId: DEMO,
        amount: 5n * UNIT,
        holdings: holdings.filter(({ amount }) => amount === 60n * UNIT).map(({ contractId }) => contractId),
        requestedAt: microsOf(now - 5_000),
        executeBefore: microsOf(now + 60_000),
        ...changed,
      };
    },
  };
}

export const optionsFor = (sandbox: Sandbox): LedgerOptions => ({
  url: sandbox.url,
  userId: 'mempool-submitter',
  synchronizerId: sandbox.synchronizerId,
  issuerParty: sandbox.issuer,
});

/** Resolves when the channel is, or becomes, ready (or not). */
export function connected(ledger: Pick<OpenLedger, 'ready' | 'onReady'>, wanted = true): Promise<void> {
  return new Promise((resolve) => {
    if (ledger.ready() === wanted) return resolve();
    const stop = ledger.onReady((ready) => {
      if (ready !== wanted) return;
      stop();
      resolve();
    });
  });
}

export function valueIn<T>(read: Read<T>): T {
  if (read.kind === 'failed-read') throw new Error(`${read.refusal.errorId}: ${read.refusal.detail}`);
  return read.value;
}

/** What the one party that was asked about has. */
export function heldIn(read: Read<ReadonlyMap<Party, Holdings>>): Holdings {
  const [held, ...others] = valueIn(read).values();
  if (held === undefined || others.length > 0) throw new Error('one party was asked about');
  return held;
}
