// The sandbox against the contract, in every generation that it plays: what a clause asks of a participant it keeps.
import test from 'ava';
import { party } from '../../src/core/ids.js';
import { bench, optionsFor } from '../ledger/setup.js';
import { clauses } from './clauses.js';
import { connectedLedger } from './connect.js';

for (const apiVersion of ['3.4.8', '3.5.9', '3.6.1', '3.7.0']) {
  test(`a participant ${apiVersion} keeps every clause`, async (t) => {
    const { sandbox, ledger, alice, bob } = await bench(t, { apiVersion, timeScale: 0.1 });
    const subject = {
      ledger,
      synchronizerId: sandbox.synchronizerId,
      issuer: party(sandbox.issuer),
      transfer: { sender: alice, receiver: bob, instrumentId: 'DEMO' },
      async open(change: Parameters<typeof connectedLedger>[0]) {
        const other = await connectedLedger({ ...optionsFor(sandbox), ...change });
        t.teardown(() => other.close());
        return other;
      },
    };
    for (const { name, check } of clauses) await t.notThrowsAsync(check(subject), name);
  });
}
