// What the users of the database need of the ledger, and when it lets them. Pure.

import type { PreferredPackage, UserRights } from '../ledger/inspect-participant.js';
import type { Read } from '../ports/ledger.js';
import { type Finding, fail, ok, skipped, unread, warn } from './finding.js';

export interface UserParty {
  readonly address: string;
  readonly party: string;
  /** The participant acts for it; else its key signs. */
  readonly hosted: boolean;
}

/** Named in a line; the rest is counted. */
const SHOWN = 3;

/** Hosted: actAs. External: executeAs (actAs implies it), and readAs for holdings, preparation and completions. */
export function rightsFinding(
  user: string,
  read: Read<UserRights>,
  users: readonly UserParty[],
  more: boolean,
): Finding {
  const check = 'user rights';
  if (users.length === 0) return ok(check, '`users` has no party yet');
  if (read.kind === 'failed-read') {
    // A participant that takes calls without a token knows no users, and refuses nobody.
    return read.refusal.errorId === 'USER_NOT_FOUND'
      ? skipped(
          check,
          `the participant knows no user ${user}`,
          'create it, unless it takes calls without a token',
        )
      : unread(check, read, { what: `the rights of ${user}`, todo: 'see to CANTON_USER_ID and its token' });
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
        `not every one of ${names.join(', ')} is vetted where the issuer is hosted: ${errorId}: ${detail}`,
        'upload and vet it, or correct CIP56_PACKAGE, HOLDING_PACKAGE or TRANSFER_PACKAGE',
      )
    : unread(check, read, { what: 'the preferred packages', todo: 'correct the package settings' });
}

/** As canton's parameter has it; null: not told. Longer than a look waits, nothing is ever decided by a checkpoint. */
export function checkpointsFinding(delayMs: number | null, patienceMs: number | null): Finding {
  const check = 'checkpoints';
  if (delayMs === null) {
    return warn(
      check,
      'the participant does not tell its max_offset_checkpoint_emission_delay',
      patienceMs === null
        ? 'a look waits 75 s: set LOOK_PATIENCE_MS where it is longer'
        : 'compare LOOK_PATIENCE_MS',
    );
  }
  if (patienceMs !== null && patienceMs <= delayMs) {
    return warn(
      check,
      `LOOK_PATIENCE_MS is ${patienceMs}, and an idle stream may say nothing for ${delayMs} ms`,
      'unset LOOK_PATIENCE_MS, or raise it: looks end before they can decide',
    );
  }
  return ok(check, `at most ${delayMs} ms apart on an idle stream`);
}

/** The Ledger API does not tell it, and nothing here rests on it. */
export const deduplicationFinding: Finding = skipped(
  'deduplication',
  'the Ledger API does not tell max-deduplication-duration',
  'keep it at its default of 7 days: it is the second belt',
);
