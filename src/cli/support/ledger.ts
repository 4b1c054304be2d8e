// The participant, for a command that only reads from it.
import type { Config } from '../../config.js';
import { noToken, tokenFile } from '../../ledger/auth.js';
import { createLedger, type OpenLedger } from '../../ledger/ledger.js';

export async function withLedger<T>(config: Config, work: (ledger: OpenLedger) => Promise<T>): Promise<T> {
  const { canton, userId, synchronizerId, issuerParty } = config;
  const ledger = createLedger({
    url: canton.url,
    tls: canton.tls,
    tokens: canton.tokenFile === null ? noToken : tokenFile(canton.tokenFile),
    packages: canton.packages,
    userId,
    synchronizerId,
    issuerParty,
  });
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}
