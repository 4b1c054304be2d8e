// Rows and instances as the page shows them: amounts in the token's own units, a row's story in words.
import { formatUnits } from '../../core/decimal.js';
import type { Tokens } from '../../core/token.js';
import { adviceFor } from '../../observe/advice.js';
import type { PageInstance, PageRow, StoryLine } from '../../observe/page.js';
import type { FleetInstance } from '../../store/operator/fleet.js';
import type { ShownRow } from '../../store/operator/overview.js';
import { amountOf } from '../../transfer/amount.js';

export function pageRow(row: ShownRow, tokens: Tokens): PageRow {
  const { txHash, state, sender, recipient, token: address, nonce, attempts, undecided, reason } = row;
  const token = tokens.get(address.toLowerCase());
  const amount = amountOf(row.amountData);
  return {
    txHash,
    state,
    sender,
    recipient,
    token: token?.symbol ?? address,
    tokenAddress: address,
    amount: amount === null ? 'not an amount' : formatUnits(amount, token?.decimals ?? 0),
    nonce: nonce.toString(),
    attempts,
    undecided,
    reason,
    advice: adviceOf(row),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function adviceOf({ state, message, reason }: ShownRow): PageRow['advice'] {
  if (state === 'parked') return adviceFor('parked', reason);
  return message === null ? null : adviceFor('failed', reason);
}

export const pageInstance = (one: FleetInstance, holder: string): PageInstance => ({
  name: one.holder,
  here: one.holder === holder,
  version: one.version,
  life: one.life,
  why: one.blockers.map(({ part, reason }) => `${part}: ${reason}`),
  ...one.inFlight,
  held: one.held.rows,
  lost: one.lostRows,
  endedLastMinute: one.endedLastMinute,
  startedAt: one.startedAt,
  seenAt: one.seenAt,
});

export function storyOf(
  row: ShownRow,
  now: number,
): { readonly story: readonly StoryLine[]; readonly next: string } {
  const story: StoryLine[] = [
    { at: row.createdAt, what: `It arrived, as nonce ${row.nonce} of its sender.` },
  ];
  if (row.claimedAt !== null)
    story.push({
      at: row.claimedAt,
      what: `${row.claimedBy ?? 'An instance'} claimed it${row.attempts > 0 ? ` (attempt ${row.attempts})` : ''}.`,
    });
  if (ENDED.has(row.state))
    story.push({
      at: row.updatedAt,
      what:
        row.message !== null
          ? `It failed: ${row.message}${row.reason === row.message ? '' : ` (${row.reason})`}`
          : `It was completed${row.updateId === null ? '' : ` by update ${row.updateId}`}${row.offset === null ? '' : `, offset ${row.offset}`}.${row.reason === '' ? '' : ` ${row.reason}`}`,
    });
  else if (row.reason !== '' && row.claimedAt === null)
    story.push({ at: row.updatedAt, what: `After ${attempts(row.attempts)}: ${row.reason}` });
  return { story, next: nextOf(row, now) };
}

const ENDED = new Set<string>(['completed', 'failed', 'mined']);
const attempts = (n: number): string => (n === 1 ? '1 attempt' : `${n} attempts`);
const inSeconds = (ms: number): string => `in ${Math.max(0, Math.round(ms / 1_000))} s`;

function nextOf(row: ShownRow, now: number): string {
  switch (row.state) {
    case 'in-flight':
      return row.leaseUntil !== null && row.leaseUntil < now
        ? 'The lease of its holder has run out: the next poll of any instance takes it back.'
        : 'Its holder is working on it.';
    case 'waiting':
      return 'It is claimed next, or as soon as the earlier rows of its sender have ended.';
    case 'backoff':
      return `It is tried again ${inSeconds((row.dueAt ?? now) - now)}.`;
    case 'undecided':
      return `A submission of it may still commit${row.boundAt === null ? '' : ` (until ${new Date(row.boundAt).toISOString()})`}: it is looked up on the ledger ${row.dueAt === null ? 'next' : inSeconds(row.dueAt - now)}, and nothing is sent before that.`;
    case 'parked':
      return row.undecided
        ? 'It waits for a person. A submission of it may still commit, so a replay looks it up first.'
        : 'It waits for a person. Nothing of it is under way.';
    case 'completed':
      return row.message === null ? 'Nothing: the transfer is made.' : 'Nothing: it has ended.';
    case 'failed':
      return 'Nothing: this is final. The sender may send a new transaction.';
    case 'mined':
      return 'Nothing: it has ended, and the API has put it into a block.';
  }
}
