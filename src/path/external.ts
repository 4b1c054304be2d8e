// A sender whose key is stored here: prepare, inspect, sign, then one ExecuteSubmissionAndWait. Nothing before that call
// changes anything on the ledger, and the record is written between the signature and the request (rule 1).
import { type DbMillis, type Micros, microsOf } from '../core/ids.js';
import type { SealedKey } from '../core/sealed-key.js';
import type { Prepared, Priced, Signature, Transfer } from '../core/transfer.js';
import { UNHASHABLE } from '../ports/ledger.js';
import { askedBound, externalExecuteBefore, writtenBound } from '../protocol/bound.js';
import type { Refusal } from '../protocol/outcome.js';
import { park, unsent } from '../protocol/verdict.js';
import { notForLocks } from '../transfer/holdings.js';
import { inspectPrepared, ONLY_V3, readBound } from '../transfer/inspect.js';
import { databaseTime, go, type JudgedSubmission, type Path, type Step, stop } from './given/context.js';
import { notTold } from './judge.js';
import type { Gathered, Ready, Sending } from './send.js';

/** How long the participant may take to prepare, estimate included: like a read before a send, which this is. */
const PREPARE_MS = 10_000;

export const external = (path: Path, submission: JudgedSubmission, key: SealedKey): Step<Sending> =>
  go({
    executeBefore: externalExecuteBefore(databaseTime(path, submission), path.settings.offerLifetimeMs),
    ready: (gathered) => ready(path, submission, key, gathered),
  });

async function ready(
  path: Path,
  submission: JudgedSubmission,
  key: SealedKey,
  gathered: Gathered,
): Promise<Step<Ready>> {
  const since = path.clock.elapsed();
  const asked = askedBound(databaseTime(path, submission), path.settings.windowMs);
  const answer = await prepare(path, submission, gathered, asked);
  if (answer.kind === 'stop') return answer;
  const prepared = answer.value;
  const preparedAt = path.clock.elapsed();

  const inspected = inspect(path, submission, gathered.transfer, prepared, microsOf(asked));
  if (inspected.kind === 'stop') return inspected;
  const { hash, until } = inspected.value;
  const signed = sign(path, submission, key, hash);
  if (signed.kind === 'stop') return signed;

  const { id, txHash } = submission.claim.row;
  const { estimatedTraffic } = prepared;
  const now = path.clock.elapsed();
  const [tookMs, signMs] = [now - since, now - preparedAt];
  path.emit({ kind: 'prepared', id, txHash, tookMs, signMs, estimatedTraffic });

  const verified = path.participant.verified();
  if (verified === null) return stop(unsent('the participant is not verified'));
  const { token: submissionId } = submission.claim;
  const party = submission.sender;
  return go({
    record: {
      sentFrom: path.participant.sentFrom(),
      sentUntil: until,
      submissionId,
      party,
      sentOn: verified.pinned.sentOn,
      hash: { bytes: hash, scheme: prepared.scheme },
    },
    until,
    call: (options) =>
      path.ledger.execute({ prepared, submissionId, party, signature: signed.value }, options),
  });
}

async function prepare(
  path: Path,
  submission: JudgedSubmission,
  { transfer, endedLocks }: Gathered,
  asked: DbMillis,
): Promise<Step<Priced>> {
  const answer = await path.ledger.prepare(transfer, microsOf(asked), {
    timeoutMs: PREPARE_MS,
    signal: submission.lease.signal,
  });
  if (answer.kind === 'read') return go(answer.value);
  if (answer.refusal.errorId === UNHASHABLE) return refuse(path, submission, `SCHEME: ${ONLY_V3}`);
  const refusal = notForLocks(answer.refusal, endedLocks);
  path.factories.observe(transfer, { kind: 'refused', refusal });
  return stop(notTold(path, submission, refusal));
}

interface Signable {
  readonly hash: Uint8Array;
  readonly until: DbMillis;
}

/** A signature may cover this transfer and nothing else, and for no longer than was asked. */
function inspect(
  path: Path,
  submission: JudgedSubmission,
  transfer: Transfer,
  prepared: Prepared,
  asked: Micros,
): Step<Signable> {
  const { settings } = path;
  if (!settings.verifyPrepared) {
    const bound = readBound(prepared);
    if (bound === null || bound > asked)
      return refuse(path, submission, `TAMPERED: max_record_time is ${bound ?? 'absent'}, asked ${asked}`);
    return go({ hash: prepared.hash, until: writtenBound(bound) });
  }
  const inspection = inspectPrepared(prepared, {
    terms: transfer,
    commandId: transfer.commandId,
    factory: transfer.factory,
    synchronizerId: settings.synchronizerId,
    askedMaxRecordTime: asked,
    issuerParty: settings.issuerParty,
    layout: submission.row.token.holding,
  });
  switch (inspection.kind) {
    case 'ok':
      return go({ hash: inspection.hash, until: writtenBound(inspection.maxRecordTime) });
    case 'tampered':
      return refuse(path, submission, `TAMPERED: ${inspection.reason}`);
    case 'unsignable':
      return refuse(path, submission, inspection.reason);
    case 'clocks-apart':
      return stop(notTold(path, submission, clocksApart(inspection.reason)));
  }
}

const clocksApart = (detail: string): Refusal => ({
  kind: 'not-the-row',
  blame: 'all',
  errorId: 'PARTICIPANT_CLOCK_AHEAD',
  detail,
  retryAfterMs: null,
});

function sign(path: Path, submission: JudgedSubmission, key: SealedKey, hash: Uint8Array): Step<Signature> {
  const signed = path.signer.sign(key, hash);
  switch (signed.kind) {
    case 'signed':
      return go(signed.signature);
    case 'no-master-key':
      return refuse(
        path,
        submission,
        'MASTER_KEY_MISSING: the sender is an external party; set CANTON_MASTER_KEY, then replay',
      );
    case 'unreadable':
      return refuse(
        path,
        submission,
        `KEY_UNREADABLE: ${signed.detail}; correct the stored key or the master key, then replay`,
      );
  }
}

/** Nothing is signed: the row waits for a person, who is told loudly. */
function refuse(path: Path, { claim }: JudgedSubmission, reason: string): Step<never> {
  path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
  return stop(park(reason));
}
