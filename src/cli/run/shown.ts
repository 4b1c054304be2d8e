// Rows and instances as the page shows them: amounts in the token's own units.

import { endOfAll, failedAdviceFor, parkedAdviceFor } from '../../core/advice.js';
import type { Tokens } from '../../core/token.js';
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
    ...adviceOf(row),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

/** Nobody is offered a replay that would be refused, in vain, or dangerous. */
function adviceOf(row: ShownRow): Pick<PageRow, 'advice' | 'mayReplay'> {
  const { state, message, reason, elsewhere } = row;
  if (state === 'parked') {
    const { end, ...advice } = parkedAdviceFor(row);
    return { advice: { ...advice, commands: endOfAll(end, reason) }, mayReplay: end === 'replay' };
  }
  const mayReplay = !elsewhere && (state === 'undecided' || state === 'backoff' || state === 'waiting');
  return {
    advice: message === null ? null : { ...failedAdviceFor(reason), commands: null },
    mayReplay,
  };
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
