// What the database's users need from the ledger, and how long looks have to wait. Pure.
import type { UserParty } from '../core/user-party.js';
import type { PreferredPackage, UserRights } from '../ledger/inspect-participant.js';
import type { Read } from '../ports/ledger.js';
import { type Finding, fail, ok, skipped, unread, warn } from './finding.js';

/** How many parties a line names; the rest is counted. */
const SHOWN = 3;

/** Hosted: actAs. External: executeAs (implied by actAs), and readAs for holdings, preparations and completions. */
export function rightsFinding(
  user: string,
  read: Read<UserRights>,
  users: readonly UserParty[],
  more: boolean,
): Finding {
  const check = 'user rights';
  if (users.length === 0) return ok(check, '`users` has no parties yet');
  if (read.kind === 'failed-read') {
    // A participant that accepts calls without a token knows no users, and refuses nobody.
    return read.refusal.errorId === 'USER_NOT_FOUND'
      ? skipped(
          check,
          `the participant does not know the user ${user}`,
          'create it, unless the participant accepts calls without a token',
        )
      : unread(check, read, { what: `the rights of ${user}`, todo: 'check CANTON_USER_ID and its token' });
  }
  const { actAs, readAs, executeAs } = read.value;
  const lacks = ({ party, hosted }: UserParty): string | null => {
    if (actAs.has(party)) return null;
    if (hosted) return `CanActAs ${party}`;
    const reads = readAs === 'any' || readAs.has(party);
    const executes = executeAs === 'any' || executeAs.has(party);
    return reads && executes ? null : `CanActAs (or CanExecuteAs and CanReadAs) ${party}`;
  };
  const lacking = users.flatMap((one) => lacks(one) ?? []);
  const looked = `${users.length}${more ? ' newest' : ''} parties of \`users\``;
  if (lacking.length === 0) return ok(check, `${user} may act for all of ${looked}`);
  const rest = lacking.length > SHOWN ? ` and ${lacking.length - SHOWN} more` : '';
  return fail(
    check,
    `${user} may not act for ${lacking.length} of ${looked}: their rows wait`,
    `grant ${lacking.slice(0, SHOWN).join(', ')}${rest}`,
  );
}

export function packagesFinding(names: readonly string[], read: Read<readonly PreferredPackage[]>): Finding {
  const check = 'packages';
  if (read.kind === 'read') {
    return ok(check, read.value.map(({ name, version }) => `${name} ${version}`).join(', '));
  }
  const { errorId, detail } = read.refusal;
  return /PACKAGE|VETTED/.test(errorId)
    ? fail(
        check,
        `not all of ${names.join(', ')} are vetted where the issuer is hosted: ${errorId}: ${detail}`,
        'upload and vet it, or correct CIP56_PACKAGE, HOLDING_PACKAGE or TRANSFER_PACKAGE',
      )
    : unread(check, read, { what: 'the preferred packages', todo: 'correct the package settings' });
}

/**
 * The participant's own parameter; null: not told. If it is longer than a look waits, no checkpoint ever decides a
 * look.
 */
export function checkpointsFinding(delayMs: number | null, patienceMs: number | null): Finding {
  const check = 'checkpoints';
  if (delayMs === null) {
    return warn(
      check,
      'the participant does not report its max_offset_checkpoint_emission_delay',
      patienceMs === null
        ? 'a look waits 75 s: set LOOK_PATIENCE_MS if that delay is longer'
        : 'compare it with LOOK_PATIENCE_MS',
    );
  }
  if (patienceMs !== null && patienceMs <= delayMs) {
    return warn(
      check,
      `LOOK_PATIENCE_MS is ${patienceMs}, but an idle stream may send nothing for ${delayMs} ms`,
      'remove LOOK_PATIENCE_MS, or raise it: looks end before they can decide',
    );
  }
  return ok(check, `at most ${delayMs} ms apart on an idle stream`);
}

/** The Ledger API does not report it, and nothing here depends on it. */
export const deduplicationFinding: Finding = skipped(
  'deduplication',
  'the Ledger API does not report max-deduplication-duration',
  'keep it at its default of 7 days, as a second safeguard',
);
