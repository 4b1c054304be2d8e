// The record of a row as SQL: its columns together, and the bound of an unknown record. An unknown record stands for a
// submission that we did not make, or no longer remember: it has no submission id and no hash, so only an acceptance or its
// bound decides it, and the bound must lie past everything that may have been sent.
import { WINDOW_MAX_MS } from '../protocol/bound.js';

/**
 * In whole milliseconds, of the pinned row `p`. `notBefore`: a parameter, the latest time known to the caller, in ms since
 * the epoch.
 */
export const unknownBound = (notBefore: string): string =>
  `date_trunc('milliseconds', greatest(now(), to_timestamp(${notBefore}::float8 / 1000)))
    + (${WINDOW_MAX_MS} + p.tolerance_ms + p.clock_skew_max_ms) * interval '1 ms'`;

/**
 * For `set`: the row no longer has a record. An update names its columns, so the list stands in settle, in set-aside and in a
 * run-book too; test/store/guard.test.ts compares all of them with the columns that schema.sql calls a record.
 */
export const NO_RECORD = `sent_from = null, sent_until = null, submission_id = null, submission_party = null,
           submission_hash = null, hashing_scheme = null, sent_on = null, sent_by = null,
           sent_inputs = null`;

/** The record of row `m`, as it is kept in the audit when a person clears it. */
export const RECORD_FOR_AUDIT = `jsonb_build_object('sent_from', m.sent_from, 'sent_until', m.sent_until,
    'submission_id', m.submission_id, 'submission_party', m.submission_party,
    'submission_hash', encode(m.submission_hash, 'hex'), 'hashing_scheme', m.hashing_scheme, 'sent_on', m.sent_on, 'sent_by', m.sent_by,
    'sent_inputs', m.sent_inputs)`;
