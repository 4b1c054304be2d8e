// The result of a check: one line for a person, and what to do.
import { lasting } from '../core/words.js';
import { isClosed, type ReadFailure } from '../ports/ledger.js';

/**
 * `fail`: something contradicts the settings, and waiting will not help. `wait`: it may pass by itself, or once
 * somebody else has acted; ask again. `warn`: it may be intended. `skipped`: it could not be asked, and perhaps never
 * can.
 */
export type Finding = { readonly check: string; readonly what: string } & (
  | { readonly status: 'ok'; readonly todo: null }
  | { readonly status: 'warn' | 'fail' | 'wait' | 'skipped'; readonly todo: string }
);
export type Status = Finding['status'];

export const ok = (check: string, what: string): Finding => ({ check, status: 'ok', what, todo: null });
const of =
  (status: Exclude<Status, 'ok'>) =>
  (check: string, what: string, todo: string): Finding => ({ check, status, what, todo });
export const warn = of('warn');
export const fail = of('fail');
export const wait = of('wait');
export const skipped = of('skipped');

/** The text with which `run` refuses, and which `doctor` prints. */
export const words = ({ check, what, todo }: Finding): string =>
  `${check}: ${what}${todo === null ? '' : `; ${todo}`}`;

/** The participant's errors for a request it cannot read, or packages it lacks: waiting will not help. */
const OURS = new Set([
  'INVALID_FIELD',
  'INVALID_ARGUMENT',
  'MISSING_FIELD',
  'PACKAGE_NAMES_NOT_FOUND',
  'TEMPLATES_OR_INTERFACES_NOT_FOUND',
  'NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME',
  'NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME',
  'USER_UNKNOWN',
]);
/** Why something could not be read. `todo`: what to do if our configuration is the cause. */
export function unread(
  check: string,
  read: ReadFailure,
  { what, todo }: { readonly what: string; readonly todo: string },
): Finding {
  const { errorId, detail } = read.refusal;
  const why = `${errorId}: ${lasting(detail)}`;
  if (isClosed(read))
    return skipped(check, `this token may not read ${what} (${errorId})`, 'check it by hand');
  if (OURS.has(errorId)) return fail(check, `${what} cannot be read: ${why}`, todo);
  return wait(check, `${what} cannot be read now: ${why}`, 'try again later');
}
