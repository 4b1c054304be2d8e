import { nextLookMs } from '../../protocol/backoff.js';
import { overdueMs } from '../../protocol/bound.js';
import { marksOf } from '../../protocol/proof.js';
import type { UndecidedClaim } from '../../protocol/record.js';
import {
  givenBack,
  lookedInVain,
  park,
  parkUndecided,
  retryIn,
  undecided,
  unsent,
  type Verdict,
} from '../../protocol/verdict.js';
import { limited } from '../../runtime/limit.js';
import { tokenKey } from '../../transfer/address.js';
import { type ClaimedAt, databaseTime, type Path, type Submission, triesOf } from '../given/context.js';
import { verifyAcceptance } from './acceptance.js';
import type { FoundKind, Looking, Reading } from './completion.js';
import { readAll } from './read.js';

export interface LookBatch extends ClaimedAt {
  readonly rows: readonly Looking[];
}

type End = (row: Looking, verdict: Verdict, found: FoundKind) => Promise<void>;

/**
 * Rule 4: undecided rows are looked at, and nothing else. A look builds nothing and judges nothing, neither configuration
 * nor users nor balance. One stream serves the batch, from before the earliest of its rows was sent, so that an
 * acceptance and the time that rules one out come from one read (P6). `end` is called once for each row.
 */
export async function look(path: Path, batch: LookBatch, signal: AbortSignal, end: End): Promise<void> {
  const verified = path.participant.verified();
  const open = new Set(batch.rows);
  const trouble = new Map<string, string>();
  /** Whether the ledger was read until patience was over. */
  let readOn = false;
  const close = async (row: Looking, found: FoundKind, verdict: Verdict): Promise<void> => {
    if (!open.delete(row)) return;
    const { id, txHash } = row.claim.row;
    path.emit({ kind: 'looked', id, txHash, found, tookMs: path.clock.elapsed() - batch.at });
    await end(row, verdict, found);
  };
  if (verified !== null) {
    await Promise.all(
      batch.rows
        .filter((row) => row.claim.record.sentOn !== verified.pinned.sentOn)
        .map((row) => close(row, 'lost', elsewhere(row))),
    );
    const read = async (stop: AbortSignal): Promise<void> => {
      const marks = marksOf(verified.pinned);
      const common = { path, verified, close, stop, userId: null };
      const reading: Reading = {
        ...common,
        open,
        unsure: new Set(),
        claimedAt: batch.now,
        trouble,
        marks,
      };
      if (verified.looksUpHashes) await askByHash(reading);
      await readAll(reading);
      readOn = stop.aborted && !signal.aborted;
    };
    // A bug of ours leaves its rows as they are, and gives them back.
    await limited([signal], verified.patienceMs, read).catch((error: unknown) =>
      path.emit({ kind: 'fault', where: 'look', error }),
    );
  }
  // Patience is over, the stream broke, or the participant is not to be trusted: still undecided, the record stays.
  const atOnce = verified === null || signal.aborted;
  await Promise.all(
    [...open].map((row) => {
      const why = trouble.get(row.claim.record.party) ?? null;
      return close(row, 'undecided', atOnce ? undecided('now', null) : later(path, batch, row, readOn, why));
    }),
  );
}

const elsewhere = ({ claim }: Looking): Verdict =>
  parkUndecided(
    `ANOTHER_PARTICIPANT: sent on participant no. ${claim.record.sentOn}, which is no longer pinned: end it with \`replay --completed\` or \`--force-new\``,
  );

/**
 * Rule 4: again after as long as the row is overdue, within 5 to 60 s. A look counts only where nothing but an acceptance
 * can end the row, and only where the ledger was read until patience was over: that it cannot be read is not the row's
 * fault (P29).
 */
function later(
  path: Path,
  batch: LookBatch,
  { claim }: Looking,
  readOn: boolean,
  trouble: string | null,
): Verdict {
  const said = trouble === null ? '' : `; its completions cannot be read: ${trouble}`;
  const overdue = overdueMs(claim.record, databaseTime(path, batch));
  if (overdue !== null) {
    return undecided(
      nextLookMs(overdue),
      `UNDECIDED: the ledger has not said yet what became of an earlier submission${said}`,
    );
  }
  const why = `UNDECIDED: only an acceptance can end it${said}`;
  if (!readOn || trouble !== null) return undecided(nextLookMs(null), why);
  return lookedInVain(
    why,
    triesOf(path, claim),
    'UNDECIDED: no acceptance has been seen, and without a bound it may still commit',
  );
}

const BY_HASH_MS = 5_000;

/**
 * The short cut to an acceptance (from 3.6 on): what was signed is asked for by its hash. Only finding it means
 * anything; that nothing is found, or nobody answers, proves nothing, and the stream is read as always (P5).
 */
async function askByHash(reading: Reading): Promise<void> {
  const { path, close, stop } = reading;
  const ask = async (row: Looking, signal: AbortSignal): Promise<void> => {
    const { record, row: asked } = row.claim;
    if (record.hash === null) return;
    const found = await path.ledger.acceptedByHash(record.hash.bytes, { timeoutMs: BY_HASH_MS, signal });
    if (found.kind !== 'read' || found.value === null || found.value.commandId !== asked.txHash) return;
    path.participant.checkBound(asked.txHash, record, found.value.time);
    const verdict = await verifyAcceptance(path, row.claim, { ...found.value, ours: true }, signal);
    if (typeof verdict !== 'string') await close(row, 'accepted', verdict);
  };
  await Promise.all(
    [...reading.open].map((row) => limited([stop, row.lease.signal], null, (signal) => ask(row, signal))),
  );
}

/**
 * For a while after a failover a fresh row may be one that was done before it, whose insert was lost and made again.
 * So a row about to become `failed` is looked for first, where the old one would show (P20): what was not accepted between
 * a ledger end known before the failover and the last bound from before it never will be. Every other verdict stands.
 * A hosted transfer of two steps had no bound that could pass, so nothing rules it out: such a row ends with a person.
 */
export async function beforeFailing(
  path: Path,
  { claim, lease, now, at }: Omit<Submission, 'onSend'>,
  verdict: Verdict,
): Promise<Verdict> {
  const { sender } = claim;
  // Without a party nothing can have been sent for it.
  if (verdict.kind !== 'failed' || sender.kind === 'unknown') return verdict;
  const verified = path.participant.verified();
  if (verified === null) {
    // Nobody knows right now whether there was a failover.
    return givenBack('NOT_FAILED: the participant is not verified', path.settings.probeMs);
  }
  if (verified.pinned.recheck === null) return verdict;
  const { from, until } = verified.pinned.recheck;
  const record: UndecidedClaim['record'] = {
    sentFrom: from,
    sentUntil: mayBeBoundless(path, claim) ? null : until,
    submissionId: null,
    party: sender.party,
    sentOn: verified.pinned.sentOn,
    hash: null,
  };
  const row: Looking = { claim: { ...claim, kind: 'undecided', record, sentBy: null }, lease };
  let ended: Verdict = unsent('the look that comes before a failure did not end');
  await look(path, { rows: [row], now, at }, path.stopping, async (_, looked, found) => {
    ended = found === 'dead' ? verdict : afterLook(path, claim, looked);
  });
  return ended;
}

/** As a recheck sees it: whatever is not known to be of one step. */
function mayBeBoundless({ settings }: Path, { row, sender }: Submission['claim']): boolean {
  return sender.kind === 'hosted' && settings.tokens.get(tokenKey(row.contractAddress))?.steps !== 1;
}

/** Nothing of this row is recorded, so a look that does not end it gives it back without a record. */
function afterLook(path: Path, claim: Submission['claim'], looked: Verdict): Verdict {
  if (looked.kind !== 'pending') return looked;
  const why = looked.lastError ?? '';
  if (looked.wait === 'parked') return park(why);
  const waits =
    'RECHECK: before this row may fail, the ledger must show that it was not completed before the failover.';
  // A look in vain counts here as it does elsewhere.
  if (looked.attempts > 0) return retryIn(nextLookMs(null), `${waits} ${why}`, triesOf(path, claim));
  return givenBack(`${waits} ${why}`, path.settings.probeMs);
}
