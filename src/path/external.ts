// A sender whose key is stored here: prepare, look, sign, write ahead, execute. Every step before the last changes
// nothing on the ledger, and the record stands between the signature and the request (rule 1).

import { type DbMillis, type Micros, microsOf } from '../core/ids.js';
import type { SealedKey } from '../core/sealed-key.js';
import type { Token } from '../core/token.js';
import type { Prepared, Signature, Transfer } from '../core/transfer.js';
import { askedBound, externalExecuteBefore, writtenBound } from '../protocol/bound.js';
import type { Refusal } from '../protocol/outcome.js';
import type { SubmissionRecord } from '../protocol/record.js';
import { park } from '../protocol/verdict.js';
import { notForLocks } from '../transfer/held.js';
import { inspectPrepared, ONLY_V3, readBound } from '../transfer/inspect.js';
import type { PathContext } from './context.js';
import { gather, ofEndedLocks } from './gather.js';
import type { JudgedRow } from './judge.js';
import { databaseNow, notSent, type Sent, type Submission, type SubmitDeps, send } from './submission.js';
import { writeAhead } from './write-ahead.js';

const PREPARE_MS = 10_000;

export async function sendExternal(
  path: PathContext,
  deps: SubmitDeps,
  submission: Submission,
  { row, sender, receiver }: JudgedRow,
  key: SealedKey,
): Promise<Sent> {
  const executeBefore = externalExecuteBefore(databaseNow(path, submission), path.settings.offerLifetimeMs);
  const gathered = await gather(path, deps, submission, { row, sender, receiver, executeBefore });
  if (gathered.kind !== 'transfer') return gathered;
  const { transfer, endedLocks } = gathered;

  const since = path.clock.elapsed();
  const asked = askedBound(databaseNow(path, submission), path.settings.windowMs);
  const answer = await path.ledger.prepare(transfer, microsOf(asked), {
    timeoutMs: PREPARE_MS,
    signal: submission.lease.signal,
  });
  if (answer.kind !== 'read') {
    const refusal = notForLocks(answer.refusal, endedLocks);
    if (/cannot hash node/i.test(refusal.detail)) return refuse(path, submission, `SCHEME: ${ONLY_V3}`);
    deps.factories.observe(transfer, { kind: 'refused', refusal });
    return { kind: 'refused', refusal };
  }
  const prepared = answer.value;

  const looked = lookBeforeSigning(path, transfer, row.token, prepared, microsOf(asked));
  if (typeof looked === 'string') return refuse(path, submission, looked);
  if (looked.kind === 'refused') return looked;
  const signature = sign(path, key, looked.hash);
  if (typeof signature === 'string') return refuse(path, submission, signature);

  const { id, txHash } = submission.claim.row;
  const { estimatedTraffic } = prepared;
  path.emit({ kind: 'prepared', id, txHash, tookMs: path.clock.elapsed() - since, estimatedTraffic });

  const { pinned } = deps.participant.verified() ?? {};
  if (pinned === undefined) return notSent('the participant is not verified');
  const record: SubmissionRecord = {
    sentFrom: deps.participant.sentFrom(),
    sentUntil: looked.until,
    submissionId: submission.claim.token,
    party: sender,
    sentOn: pinned.sentOn,
    hash: { bytes: looked.hash, scheme: prepared.scheme },
  };
  const unwritten = await writeAhead(path, deps, submission, record);
  if (unwritten !== null) return { kind: 'verdict', verdict: unwritten };
  const signed = { prepared, submissionId: submission.claim.token, party: sender, signature };
  const ready = { record, until: looked.until };
  const sent = await send(path, deps, submission, ready, async (options) =>
    ofEndedLocks(await path.ledger.execute(signed, options), endedLocks),
  );
  if (sent.kind === 'answered') deps.factories.observe(transfer, sent.outcome);
  return sent;
}

interface Signable {
  readonly kind: 'signable';
  readonly hash: Uint8Array;
  readonly until: DbMillis;
}

/** What a signature may cover: this transfer, nothing else, and not for longer than was asked. Else the reason. */
function lookBeforeSigning(
  { settings }: PathContext,
  transfer: Transfer,
  { holding: layout }: Token,
  prepared: Prepared,
  asked: Micros,
): Signable | Extract<Sent, { kind: 'refused' }> | string {
  if (!settings.verifyPrepared) {
    const bound = readBound(prepared);
    if (bound === null || bound > asked)
      return `TAMPERED: max_record_time is ${bound ?? 'absent'}, asked ${asked}`;
    return { kind: 'signable', hash: prepared.hash, until: writtenBound(bound) };
  }
  const inspection = inspectPrepared(prepared, {
    terms: transfer,
    commandId: transfer.commandId,
    factory: transfer.factory,
    synchronizerId: settings.synchronizerId,
    askedMaxRecordTime: asked,
    issuerParty: settings.issuerParty,
    layout,
  });
  switch (inspection.kind) {
    case 'ok':
      return { kind: 'signable', hash: inspection.hash, until: writtenBound(inspection.maxRecordTime) };
    case 'tampered':
      return `TAMPERED: ${inspection.reason}`;
    case 'unsignable':
      return inspection.reason;
    case 'clocks-apart':
      return { kind: 'refused', refusal: clocksApart(inspection.reason) };
  }
}

const clocksApart = (detail: string): Refusal => ({
  kind: 'not-the-row',
  blame: 'all',
  errorId: 'PARTICIPANT_CLOCK_AHEAD',
  detail,
  retryAfterMs: null,
});

function sign({ signer }: PathContext, key: SealedKey, hash: Uint8Array): Signature | string {
  const signed = signer.sign(key, hash);
  switch (signed.kind) {
    case 'signed':
      return signed.signature;
    case 'no-master-key':
      return 'MASTER_KEY_MISSING: the sender is an external party; set CANTON_MASTER_KEY, then replay';
    case 'unreadable':
      return `KEY_UNREADABLE: ${signed.detail}; put the key or the master key right, then replay`;
  }
}

/** No signature leaves: the row waits for a person, who is told loudly. */
function refuse(path: PathContext, { claim }: Submission, reason: string): Sent {
  path.emit({ kind: 'alarm', what: reason, txHash: claim.row.txHash });
  return { kind: 'verdict', verdict: park(reason) };
}
