// What we rely on of a participant, one clause each: read from any, and where two parties are named, by one transfer
// between them. A clause throws where it does not hold. The sandbox is held to the same ones (`sandbox.test.ts`).
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { microsOf, type Offset, type Party, txHashOf } from '../../src/core/ids.js';
import type { HostedSubmission } from '../../src/core/transfer.js';
import type { LedgerOptions, OpenLedger } from '../../src/ledger/ledger.js';
import type { Read, ReadFailure } from '../../src/ports/ledger.js';
import { askFacts } from '../../src/preflight/facts.js';
import { words } from '../../src/preflight/finding.js';
import { participantFindings } from '../../src/preflight/participant.js';
import type { CompletionEvent } from '../../src/protocol/outcome.js';

export interface Subject {
  readonly ledger: OpenLedger;
  /** Another connection to the same participant, with other settings. */
  open(change: Partial<LedgerOptions>): Promise<OpenLedger>;
  readonly synchronizerId: string;
  readonly issuer: Party;
  /** Both hosted by the participant; the sender holds some of it, unlocked. Null: nothing is sent. */
  readonly transfer: {
    readonly sender: Party;
    readonly receiver: Party;
    readonly instrumentId: string;
  } | null;
}

export interface Clause {
  readonly name: string;
  readonly sends: boolean;
  check(on: Subject): Promise<void>;
}

const CALL = { timeoutMs: 20_000 };
/** A submission, and a stream of a participant that does not tell its checkpoints. */
const LONG = { timeoutMs: 120_000 };

const reads = (name: string, check: Clause['check']): Clause => ({ name, sends: false, check });
const sends = (
  name: string,
  check: (on: Subject, transfer: NonNullable<Subject['transfer']>) => Promise<void>,
): Clause => ({
  name,
  sends: true,
  async check(on) {
    assert.ok(on.transfer !== null, 'no parties are named');
    await check(on, on.transfer);
  },
});

export const clauses: readonly Clause[] = [
  reads('version, user, synchronizer, issuer and factory are as `doctor` wants them', async (on) => {
    const settings = {
      synchronizerId: on.synchronizerId,
      issuerParty: on.issuer,
      participantId: null,
      tokens: new Map(),
    };
    const facts = await askFacts({ ledger: on.ledger, settings, parties: [] }, CALL);
    if ('kind' in facts) return assert.fail(said(facts));
    // A token that may not ask for the participant id is the operator's to know.
    const bad = participantFindings(facts, settings).filter(
      ({ status, check }) => (status === 'fail' || status === 'wait') && check !== 'participant id',
    );
    assert.deepEqual(bad.map(words), []);
  }),
  reads('the ledger end is an offset, and does not fall', async ({ ledger }) => {
    const before = got(await ledger.ledgerEnd(CALL));
    assert.ok(before > 0n);
    assert.ok(got(await ledger.ledgerEnd(CALL)) >= before);
  }),
  reads('what was pruned ends before the ledger does', async ({ ledger }) => {
    assert.ok(got(await ledger.prunedUpTo(CALL)) <= got(await ledger.ledgerEnd(CALL)));
  }),
  reads('holdings and factories are read at the ledger end', async ({ ledger, issuer }) => {
    const at = got(await ledger.ledgerEnd(CALL));
    got(await ledger.holdings([issuer], at, CALL));
    got(await ledger.transferFactories(issuer, at, CALL));
  }),
  reads(
    'a holding is seen by the interface, with its view and its admin among the signatories',
    async (on) => {
      const at = got(await on.ledger.ledgerEnd(CALL));
      const parties = [on.issuer, ...(on.transfer === null ? [] : [on.transfer.sender])];
      const { samples } = got(await on.ledger.inspect.holdings({ parties, at, limit: 200 }, CALL));
      if (on.transfer === null) return;
      const { sender, instrumentId } = on.transfer;
      assert.ok(samples.some((one) => one.owner === sender && one.instrumentId === instrumentId));
    },
  ),
  reads('an offset after the end is OFFSET_AFTER_LEDGER_END', async ({ ledger, issuer }) => {
    const at = got(await ledger.ledgerEnd(CALL)) + 1_000_000_000n;
    assert.equal(idOf(await ledger.holdings([issuer], at, CALL)), 'OFFSET_AFTER_LEDGER_END');
  }),
  reads(
    'a package by a name that nobody has is PACKAGE_NAMES_NOT_FOUND',
    async ({ ledger, open, issuer }) => {
      const other = await open({ packages: { holding: '#no-such-package' } });
      const at = got(await ledger.ledgerEnd(CALL));
      assert.equal(idOf(await other.holdings([issuer], at, CALL)), 'PACKAGE_NAMES_NOT_FOUND');
    },
  ),
  reads('an interface that a named package does not have is NO_INTERFACE_FOR_…', async (on) => {
    const other = await on.open({ packages: { holding: '#splice-api-token-transfer-instruction-v1' } });
    const at = got(await on.ledger.ledgerEnd(CALL));
    assert.equal(
      idOf(await other.holdings([on.issuer], at, CALL)),
      'NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME',
    );
  }),
  reads(
    'a synchronizer id that is not a logical one is INVALID_FIELD',
    async ({ ledger, issuer, synchronizerId }) => {
      const question = { names: ['splice-api-token-holding-v1'], parties: [issuer] };
      const ask = (id: string) => ledger.inspect.packages({ ...question, synchronizerId: id }, CALL);
      assert.equal(idOf(await ask(`${synchronizerId}::34-0`)), 'INVALID_FIELD');
      assert.deepEqual(
        got(await ask(synchronizerId)).map(({ name }) => name),
        question.names,
      );
    },
  ),
  reads('a party that nobody knows is on no synchronizer', async ({ ledger, issuer }) => {
    const nobody = issuer.replace(/^[^:]+/, 'nobody-of-that-name');
    assert.deepEqual(got(await ledger.inspect.synchronizers(nobody, CALL)), []);
  }),
  reads('an update that is not there is absent, not an error', async ({ ledger, issuer }) => {
    const updateId = `1220${'00'.repeat(32)}`;
    assert.equal(got(await ledger.transferOf(updateId, [issuer], CALL)), 'absent');
  }),
  reads(
    'an acceptance looked up by hash is null where there is none, or no such call',
    async ({ ledger }) => {
      assert.equal(got(await ledger.acceptedByHash(randomBytes(32), CALL)), null);
    },
  ),
  reads('a completion stream from the end tells a time of the synchronizer by itself', async (on) => {
    const begin = got(await on.ledger.ledgerEnd(CALL));
    const parties = [on.transfer?.sender ?? on.issuer];
    const event = await firstOf(on, parties, begin, ({ kind }) => kind === 'checkpoint');
    assert.ok(event.kind === 'checkpoint' && event.offset >= begin);
    assert.ok(event.times.some((time) => time.synchronizerId === on.synchronizerId));
  }),
  sends('a contract that is not there is CONTRACT_NOT_FOUND, with details: nothing was sent', async (on) => {
    const transfer = await transferOf(on, { holdings: [`00${'ab'.repeat(32)}`] });
    const outcome = await on.ledger.submit(transfer, LONG);
    assert.ok(outcome.kind === 'refused', inspect(outcome));
    assert.equal(outcome.refusal.errorId, 'CONTRACT_NOT_FOUND');
  }),
  sends('past its executeBefore a transfer is refused, and not for good', async (on) => {
    const transfer = await transferOf(on, { executeBefore: microsOf(Date.now() - 600_000) });
    const outcome = await on.ledger.submit(transfer, LONG);
    assert.ok(outcome.kind === 'refused', inspect(outcome));
    assert.notEqual(outcome.refusal.kind, 'for-good');
  }),
  sends(
    'a transfer: its acceptance on the stream, its content by update, and a second one a duplicate',
    async (on, of) => {
      const begin = got(await on.ledger.ledgerEnd(CALL));
      const transfer = await transferOf(on, {});
      const outcome = await on.ledger.submit(transfer, LONG);
      assert.ok(outcome.kind === 'accepted', inspect(outcome));
      assert.ok(outcome.offset > begin);
      const event = await firstOf(
        on,
        [of.sender],
        begin,
        (one) => one.kind === 'accepted' && one.commandId === transfer.commandId,
      );
      assert.ok(event.kind === 'accepted');
      assert.equal(event.submissionId, transfer.submissionId);
      assert.equal(event.updateId, outcome.updateId);
      assert.equal(event.offset, outcome.offset);
      assert.equal(event.time?.synchronizerId, on.synchronizerId);
      const effect = got(await on.ledger.transferOf(outcome.updateId, [of.sender], CALL));
      assert.ok(effect !== null && effect !== 'absent');
      assert.equal(effect.commandId, transfer.commandId);
      assert.equal(effect.receiver, of.receiver);
      assert.equal(effect.amount, 1n);
      assert.equal(got(await on.ledger.updateOffset(outcome.updateId, of.sender, CALL)), outcome.offset);

      const again = await transferOf(on, { commandId: transfer.commandId });
      const second = await on.ledger.submit(again, LONG);
      assert.ok(second.kind === 'duplicate', inspect(second));
      assert.equal(second.completionOffset, outcome.offset);
    },
  ),
];

/** The least amount, out of the first unlocked holding there is. */
async function transferOf(
  { ledger, transfer, issuer }: Subject,
  change: Partial<HostedSubmission>,
): Promise<HostedSubmission> {
  assert.ok(transfer !== null);
  const { sender, receiver, instrumentId } = transfer;
  const at = got(await ledger.ledgerEnd(CALL));
  const [factory] = got(await ledger.transferFactories(issuer, at, CALL));
  const { samples } = got(await ledger.inspect.holdings({ parties: [sender], at, limit: 2_000 }, CALL));
  const holding = samples.find(
    (one) => one.owner === sender && one.instrumentId === instrumentId && !one.locked,
  );
  assert.ok(
    factory !== undefined && holding !== undefined,
    'a factory, and an unlocked holding of the sender',
  );
  return {
    commandId: txHashOf(randomBytes(32)),
    submissionId: randomUUID(),
    factory: { kind: 'own', contractId: factory },
    sender,
    receiver,
    admin: issuer,
    instrumentId,
    amount: 1n,
    holdings: [holding.contractId],
    requestedAt: microsOf(Date.now() - 5_000),
    executeBefore: microsOf(Date.now() + 600_000),
    ...change,
  };
}

async function firstOf(
  { ledger }: Subject,
  parties: readonly Party[],
  beginExclusive: Offset,
  fits: (event: CompletionEvent) => boolean,
): Promise<CompletionEvent> {
  const ending = AbortSignal.timeout(LONG.timeoutMs);
  const stream = ledger.completions({ parties, beginExclusive }, ending);
  try {
    for (;;) {
      const next = await stream.next();
      if (next.done) return assert.fail(next.value === null ? 'nothing in time' : said(next.value));
      if (fits(next.value)) return next.value;
    }
  } finally {
    await stream.return(null);
  }
}

const said = ({ refusal }: ReadFailure): string => `${refusal.errorId}: ${refusal.detail}`;
const got = <T>(read: Read<T>): T => (read.kind === 'read' ? read.value : assert.fail(said(read)));
/** An id of the ledger's own: that its details arrived. */
const idOf = (read: Read<unknown>): string => (read.kind === 'read' ? 'it was read' : read.refusal.errorId);
