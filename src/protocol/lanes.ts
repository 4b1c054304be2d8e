// I6: how many transfers of one sender may be in flight. With `holdings` several, begun in nonce order, none of which spends
// what another does: a row that begins reserves its holdings with its record, and they are reserved as long as it has one.
import type { RowId } from '../core/ids.js';

export const LANES = ['sender', 'holdings', 'off'] as const;
export type Lanes = (typeof LANES)[number];

/** What one undecided row spends. */
export interface Reservation {
  readonly id: RowId;
  /** Contract ids; null: nobody remembers its submission, so it may be any holding of its party. */
  readonly inputs: readonly string[] | null;
}

/** Whether a row that begins now must not spend this holding. */
export function isReserved(reservations: readonly Reservation[]): (contractId: string) => boolean {
  if (reservations.some(({ inputs }) => inputs === null)) return () => true;
  const taken = new Set(reservations.flatMap(({ inputs }) => inputs ?? []));
  return (contractId) => taken.has(contractId);
}

/** The rows that have reserved any of these holdings: a row that needs them waits on these. */
export const reservedBy = (
  reservations: readonly Reservation[],
  contractIds: Iterable<string>,
): readonly RowId[] => {
  const wanted = new Set(contractIds);
  return reservations
    .filter(({ inputs }) => inputs === null || inputs.some((id) => wanted.has(id)))
    .map(({ id }) => id);
};
