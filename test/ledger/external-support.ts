// A party that signs for itself, against a sandbox of its own.
import { randomBytes, randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { type Micros, microsOf, type Party, party, type TxHash } from '../../src/core/ids.js';
import type { Prepared, SignedSubmission, Transfer, TransferTerms } from '../../src/core/transfer.js';
import { createLedger, type OpenLedger } from '../../src/ledger/ledger.js';
import type { ExternalParty, Sandbox, SandboxOptions } from '../../src/sandbox/index.js';
import type { Expected } from '../../src/transfer/inspect.js';
import { confirmLater } from '../sandbox/confirmed.js';
import { signatures } from '../sandbox/external.js';
import { startPacedSandbox } from '../support/paced-sandbox.js';
import { connected, DEMO, heldIn, optionsFor, TIMEOUT, UNIT, valueIn } from './setup.js';

export interface ExternalBench {
  readonly sandbox: Sandbox;
  readonly ledger: OpenLedger;
  readonly signer: ExternalParty;
  readonly alice: Party;
  readonly bob: Party;
  /** 5 DEMO of her 60 to Bob; she has another 40. */
  transfer(change?: Partial<Transfer>): Promise<Transfer>;
  /** The same of a registry's token, through what it says; needs `registry: true`. */
  registryTransfer(instrumentId: string, change?: Partial<TransferTerms>): Promise<Transfer>;
  prepared(transfer: Transfer): Promise<Prepared>;
  /** What an inspection has to find. */
  expected(transfer: Transfer): Expected;
  signed(prepared: Prepared, hash?: Uint8Array): SignedSubmission;
}

export async function externalBench(
  t: ExecutionContext,
  options: SandboxOptions = {},
): Promise<ExternalBench> {
  // A choice that reads the time is taken within a minute of its preparation: however slow this machine is.
  const patient = options.timeScale === undefined ? { timeScale: 0.1, toleranceMs: 600_000 } : {};
  const sandbox = await startPacedSandbox({ ...patient, latencyMs: 5, seed: t.title, ...options });
  const held = (token: string) => [
    { token, amount: '60' },
    { token, amount: '40' },
  ];
  const holdings = [DEMO, ...(options.registry ? ['USDCx', 'EURO'] : [])].flatMap(held);
  const [signer] = sandbox.createExternalParties([{ hint: 'alice', holdings }]);
  const [bob = ''] = sandbox.createParties([{ hint: 'bob' }]);
  if (signer === undefined) throw new Error('no party');
  const ledger = createLedger(optionsFor(sandbox));
  t.teardown(async () => {
    ledger.close();
    await sandbox.close();
  });
  await connected(ledger);
  const alice = party(signer.party);
  const bound: Micros = microsOf(Date.now() + 30_000);
  const termsOf = async (admin: string, instrumentId: string): Promise<TransferTerms> => {
    const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
    const holdings = heldIn(await ledger.holdings([alice], at, TIMEOUT)).holdings.filter(
      (one) => one.amount === 60n * UNIT && one.instrumentId === instrumentId && one.admin === admin,
    );
    const now = Date.now();
    return {
      sender: alice,
      receiver: party(bob),
      admin,
      instrumentId,
      amount: 5n * UNIT,
      holdings: holdings.map(({ contractId }) => contractId),
      requestedAt: microsOf(now - 5_000),
      executeBefore: microsOf(now + 86_400_000),
    };
  };
  const commandId = () => `0x${randomBytes(32).toString('hex')}` as TxHash;
  return {
    sandbox,
    ledger,
    signer,
    alice,
    bob: party(bob),
    async transfer(change = {}) {
      const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
      const [contractId = ''] = valueIn(await ledger.transferFactories(sandbox.issuer, at, TIMEOUT));
      const terms = await termsOf(sandbox.issuer, DEMO);
      return { ...terms, commandId: commandId(), factory: { kind: 'own', contractId }, ...change };
    },
    async registryTransfer(instrumentId, change = {}) {
      const terms = { ...(await termsOf(sandbox.registrar, instrumentId)), ...change };
      const factory = valueIn(await ledger.registryFactory(sandbox.httpUrl, terms, TIMEOUT));
      return { ...terms, commandId: commandId(), factory };
    },
    async prepared(transfer) {
      const prepared = valueIn(await ledger.prepare(transfer, bound, TIMEOUT));
      confirmLater(prepared.transaction);
      return prepared;
    },
    expected: (transfer) => ({
      terms: transfer,
      commandId: transfer.commandId,
      factory: transfer.factory,
      synchronizerId: sandbox.synchronizerId,
      askedMaxRecordTime: bound,
      issuerParty: sandbox.issuer,
    }),
    signed: (prepared, hash = prepared.hash) => ({
      prepared,
      submissionId: randomUUID(),
      party: alice,
      signature: {
        der: signatures(signer, hash).signatures[0]?.signatures[0]?.signature ?? new Uint8Array(),
        fingerprint: signer.fingerprint,
      },
    }),
  };
}
