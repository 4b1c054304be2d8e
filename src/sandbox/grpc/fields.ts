// How validation reports a request's fields.
import { refuse } from '../errors.js';

export const ledgerString = /^[A-Za-z0-9#:\-_/ ]{1,255}$/;
export const partyString = /^[A-Za-z0-9:\-_ ]{1,255}$/;
/** A version byte, a discriminator, and a suffix once it has been sequenced. */
export const contractIdString = /^0[01][0-9a-f]{64}([0-9a-f]{2}){0,94}$/;
/** Logical: a name and a namespace. The extra parts of a physical id make the namespace invalid. */
export const synchronizerString = /^[A-Za-z0-9\-_ ]{1,185}::[A-Za-z0-9]{1,68}$/;

export function check(field: string, value: string, pattern: RegExp): void {
  if (!pattern.test(value)) invalid(field, `${JSON.stringify(value.slice(0, 64))} does not match ${pattern}`);
}

export function missing(field: string): never {
  return refuse('MISSING_FIELD', `The submitted command is missing a mandatory field: ${field}`, {
    metadata: { field_name: field },
  });
}

export function invalid(field: string, problem: string): never {
  return refuse(
    'INVALID_FIELD',
    `The submitted command has a field with invalid value: Invalid field ${field}: ${problem}`,
    {
      metadata: { field_name: field },
    },
  );
}
