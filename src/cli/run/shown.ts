// Rows and instances as the page shows them: amounts in the token's own units.
import type { Tokens } from '../../core/token.js';
import { adviceFor } from '../../observe/advice.js';
import type { PageInstance, PageRow } from '../../observe/page.js';
import type { FleetInstance } from '../../store/operator/fleet.js';
import type { ShownRow } from '../../store/operator/overview.js';
import { shownAmount } from '../show/amount.js';

export function pageRow(row: ShownRow, tokens: Tokens): PageRow {
  const { txHash, state, sender, recipient, nonce, attempts, undecided, reason } = row;
  return {
    txHash,
    state,
    sender,
    recipient,
    ...shownAmount(row.amountData, row.token, tokens),
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
  // What is paused is said once, for the fleet.
  why: one.blockers.filter(({ part }) => part !== 'paused').map(({ part, reason }) => `${part}: ${reason}`),
  ...one.inFlight,
  held: one.held.rows,
  lost: one.lostRows,
  endedLastMinute: one.endedLastMinute,
  startedAt: one.startedAt,
  seenAt: one.seenAt,
});
