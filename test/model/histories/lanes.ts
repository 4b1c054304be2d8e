// LANES=holdings as protocol.sql keeps it: who may begin, what is reserved, and who waits on whom. `src/protocol/lanes.ts`
// makes of a reservation what it means.
import type { Party, RowId } from '../../../src/core/ids.js';
import type { Reservation } from '../../../src/protocol/lanes.js';
import type { Row } from './database.js';
import type { Rules } from './rules.js';

type Rows = readonly (Row | null)[];

export const rowId = (id: number): RowId => `${id}` as RowId;
export const contractId = (coin: number): string => `${coin}`;

/** It has not ended, and no person has to look at it. */
export const isDue = (row: Row | null): row is Row =>
  row !== null && row.status === 'pending' && row.availableAt !== Number.POSITIVE_INFINITY;

/** What is claimed next of each sender: the lowest row without a record, if it is free, due, and waits on nobody. */
export function mayBegin(rows: Rows, now: number, { holdings }: Rules): (row: Row) => boolean {
  return (row) =>
    lowestOf(rows, row.sender) === row &&
    row.token === null &&
    row.availableAt <= now &&
    !waits(rows, row, now, holdings.waitsSoLong) &&
    !(holdings.oneAtATime && isBeginning(rows, row.sender));
}

/** The lowest row of this sender that has not begun, or not begun again. */
export const lowestOf = (rows: Rows, sender: number): Row | null =>
  rows.filter(isDue).find((row) => row.sender === sender && row.record === null) ?? null;

/** One of them is claimed and has no record yet. */
const isBeginning = (rows: Rows, sender: number): boolean =>
  rows.some(
    (row) => row?.status === 'pending' && row.sender === sender && row.token !== null && row.record === null,
  );

/** Computed from those rows themselves, so that no wake-up can be lost. */
function waits(rows: Rows, { waits }: Row, now: number, soLong: boolean): boolean {
  if (waits === null || (soLong && waits.until <= now)) return false;
  return waits.on.every((id) => {
    const row = rows[Number(id)] ?? null;
    return row?.status === 'pending' && row.record !== null && (row.inputs !== null || isDue(row));
  });
}

/** What the undecided rows of this party spend; null: nobody remembers, and until it is parked it may be anything. */
export function reservationsOf(rows: Rows, party: Party, { holdings }: Rules): Reservation[] {
  return rows.flatMap((row) => {
    if (row?.status !== 'pending' || row.record?.party !== party) return [];
    const inputs = row.inputs ?? (holdings.unknownIsAnything ? null : []);
    return inputs === null && holdings.parkedStepsAside && !isDue(row) ? [] : [{ id: rowId(row.id), inputs }];
  });
}
