// Offsets in requests: how far back, and how far ahead, a participant can answer.
import { refuse } from '../errors.js';
import type { LedgerState } from '../model/ledger-state.js';

export function readOffset(text: string, field: string, state: LedgerState): number {
  const offset = Number(text);
  if (offset < 0) refuse('NEGATIVE_OFFSET', `Offset ${offset} in ${field} is a negative integer`);
  if (offset > state.end) {
    refuse('OFFSET_AFTER_LEDGER_END', `Offset (${offset}) is after ledger end (${state.end})`);
  }
  if (offset < state.prunedUpTo) {
    refuse(
      'PARTICIPANT_PRUNED_DATA_ACCESSED',
      `Request from ${offset} precedes pruned offset ${state.prunedUpTo}`,
      { metadata: { earliest_offset: `${state.prunedUpTo}` } },
    );
  }
  return offset;
}
