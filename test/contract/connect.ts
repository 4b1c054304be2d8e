import { createLedger, type LedgerOptions, type OpenLedger } from '../../src/ledger/ledger.js';

/** Connected, and its user known. A call waits for the connection, and keeps the process meanwhile. */
export async function connectedLedger(options: LedgerOptions): Promise<OpenLedger> {
  const ledger = createLedger(options);
  const call = { timeoutMs: 30_000 };
  const version = await ledger.version(call);
  if (!ledger.ready() && version.kind === 'failed-read') throw new Error(version.refusal.detail);
  await ledger.userId(call);
  return ledger;
}
