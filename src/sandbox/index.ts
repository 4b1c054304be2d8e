/**
 * A Canton participant to test against: Ledger API v2 over real gRPC, strict where a real one is strict, with faults on
 * demand and an audit log that judges.
 *
 * ```ts
 * const sandbox = await startSandbox({ timeScale: 0.02, seed: 1 });
 * const [alice, bob] = sandbox.createParties([{ hint: 'alice', holdings: [{ token: 'DEMO', amount: '100' }] }, { hint: 'bob' }]);
 * sandbox.faults.add({ on: 'submit', times: 1, do: { kind: 'dropAnswer', how: 'never' } });
 * // … start a submitter with { ...process.env, ...sandbox.env } …
 * await sandbox.audit.until((log) => log.summary().accepted === 1);
 * await sandbox.close();
 * ```
 */

export type { ExternalParty, Sandbox } from './api.js';
export type { AuditEntry, AuditLog, AuditOutcome, AuditSummary, AuditTransfer } from './audit.js';
export { errorIds } from './errors.js';
export type { Control, Fault, FaultAction, PartySpec } from './fault-schema.js';
export type { FaultBook, SetFault } from './faults.js';
export { BadStateFile } from './journal.js';
export { startSandbox } from './sandbox.js';
export type { SandboxOptions } from './settings.js';
export { registryTokens, type TokenSpec } from './tokens.js';
