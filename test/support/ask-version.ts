// A process of its own, since Node reads some of its environment at its start only: asks a participant for its version.
import { createLedger } from '../../src/ledger/ledger.js';

const ledger = createLedger({
  url: process.argv[2] ?? '',
  userId: 'u',
  synchronizerId: 's',
  issuerParty: 'i',
});
const version = await ledger.version({ timeoutMs: 10_000 });
console.log(version.kind === 'read' ? version.value.version : version.refusal.detail);
ledger.close();
