import type { ServiceError } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import type { AuditLog, ExternalParty, Sandbox, SandboxOptions } from '../../src/sandbox/index.js';
import { startPacedSandbox } from '../support/paced-sandbox.js';
import { failing, LedgerClient } from './client.js';
import { ExternalClient } from './external.js';
import type { TransferSpec } from './transfer-commands.js';

export interface Stage {
  readonly sandbox: Sandbox;
  readonly client: LedgerClient;
  readonly alice: string;
  readonly bob: string;
  /** Holdings of alice, ten DEMO each. */
  readonly coins: readonly string[];
}

/** With this scale the tolerance is 300 ms, a checkpoint comes every 75 ms, an idle stream gets one every 300 ms. */
export const SCALE = 0.005;

/** Alice with coins, bob without, and nothing left behind. */
export async function stage(
  t: ExecutionContext,
  options: SandboxOptions = {},
  coinCount = 4,
): Promise<Stage> {
  const sandbox = await startPacedSandbox({ timeScale: SCALE, latencyMs: 0, seed: t.title, ...options });
  t.teardown(() => sandbox.close());
  const client = connect(t, sandbox);
  const [alice = '', bob = ''] = sandbox.createParties([
    { hint: 'alice', holdings: [{ token: 'DEMO', amount: '10', count: coinCount }] },
    { hint: 'bob' },
  ]);
  return { sandbox, client, alice, bob, coins: options.token ? [] : await client.holdings(alice) };
}

/** What is prepared must be sequenced within the tolerance, however slow this machine is: a minute. */
const PATIENT = { timeScale: 0.1, toleranceMs: 600_000 };

/** Alice signs for herself; bob is hosted. */
export interface ExternalStage extends Stage {
  readonly external: ExternalClient;
  readonly signer: ExternalParty;
}

export async function externalStage(
  t: ExecutionContext,
  options: SandboxOptions = {},
  coinCount = 4,
): Promise<ExternalStage> {
  const sandbox = await startPacedSandbox({
    ...(options.timeScale === undefined ? PATIENT : {}),
    latencyMs: 0,
    seed: t.title,
    ...options,
  });
  t.teardown(() => sandbox.close());
  const client = connect(t, sandbox);
  const holdings = [{ token: 'DEMO', amount: '10', count: coinCount }];
  const signer = at(sandbox.createExternalParties([{ hint: 'alice', holdings }]), 0);
  const [bob = ''] = sandbox.createParties([{ hint: 'bob' }]);
  const external = new ExternalClient(client);
  const coins = await client.holdings(signer.party);
  return { sandbox, client, external, signer, alice: signer.party, bob, coins };
}

/** The submission of this place in the audit log has reached the participant. */
export function delivered(on: Stage, place: number): Promise<void> {
  return on.sandbox.audit.until((log) => (log.entries[place]?.deliveredAt ?? null) !== null);
}

/** A transfer whose caller hangs up as soon as `when` holds; the error that it gets. */
export async function hangUp(
  on: Stage,
  spec: TransferSpec,
  when: (log: AuditLog) => boolean,
): Promise<ServiceError> {
  const cancel = new AbortController();
  const error = failing(on.client.transfer(spec, cancel.signal));
  await on.sandbox.audit.until(when);
  cancel.abort();
  return error;
}

export function connect(t: ExecutionContext, sandbox: Sandbox): LedgerClient {
  const client = new LedgerClient(sandbox);
  t.teardown(() => client.close());
  return client;
}

export function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`there is no ${index}th of ${list.length}`);
  return item;
}
