// The checks of the database. Each stands alone: if one cannot be made, the next one still is.
import { type Config, ConfigError } from '../../config.js';
import { StoreUnavailable } from '../../core/errors.js';
import type { UserParty } from '../../core/user-party.js';
import type { Pinned } from '../../ports/store.js';
import { type Finding, fail, ok, wait } from '../../preflight/finding.js';
import { lackingPrivileges } from '../../store/check.js';
import { roleProblem } from '../../store/errors.js';
import { createStore } from '../../store/store.js';
import { userParties } from '../../store/users.js';
import { type Questions, startProblems } from '../../submitter/start-checks.js';

export interface DatabaseSide {
  readonly findings: readonly Finding[];
  readonly pinned: Pinned | null;
  readonly users: readonly UserParty[];
  readonly moreUsers: boolean;
}

/** How many parties have their rights checked. */
const USERS = 1_000;

export async function databaseSide(
  config: Config,
  { database, signer }: Omit<Questions, 'store'>,
): Promise<DatabaseSide> {
  const { shown } = config.database;
  const store = createStore(database);
  const nothing = { pinned: null, users: [], moreUsers: false };
  try {
    const lacking = await lackingPrivileges(database);
    const privileges =
      lacking.length === 0
        ? ok('privileges', 'all privileges in docs/operations.md are granted')
        : fail(
            'privileges',
            `this role lacks ${lacking.join(', ')}`,
            'grant them: docs/operations.md, "Privileges"',
          );
    if (lacking.length > 0) return { ...nothing, findings: [privileges] };
    const problems = await startProblems(config, { database, store, signer });
    if (problems.length > 0) {
      const findings = problems.map((problem) => fail('database', problem, 'see docs/operations.md'));
      return { ...nothing, findings: [...findings, privileges] };
    }
    const pinned = await store.pinned();
    const users = await userParties(database, USERS + 1);
    return {
      findings: [ok('database', `${shown} is as \`migrate\` leaves it`), privileges],
      pinned,
      users: users.slice(0, USERS),
      moreUsers: users.length > USERS,
    };
  } catch (error) {
    const role = roleProblem(error, shown);
    if (role !== null) return { ...nothing, findings: [fail('database', role, 'correct DATABASE_URL')] };
    if (error instanceof ConfigError || !(error instanceof StoreUnavailable)) throw error;
    const what = `${shown} cannot be reached: ${error.message}`;
    return { ...nothing, findings: [wait('database', what, 'check DATABASE_URL and the network')] };
  }
}

/** Compares what is pinned with what answers. */
export function pinsFinding(
  pinned: Pinned | null,
  shown: { readonly id: string | null; readonly userId: string | null; readonly synchronizerId: string },
): Finding {
  const check = 'pins';
  if (pinned === null)
    return wait(check, 'what is pinned could not be read', 'fix the database problem above first');
  if (pinned.halted !== null)
    return fail(check, `halted: ${pinned.halted}`, 'follow docs/runbooks.md, "Halted"');
  const { participant } = pinned;
  if (participant === null)
    return ok(check, 'nothing is pinned yet: the first `run` will pin what is found here');
  const { id, userId, synchronizerId } = participant;
  const different = [
    ...(shown.id !== null && shown.id !== id ? [`the participant is ${shown.id}, but ${id} is pinned`] : []),
    ...(shown.userId !== null && shown.userId !== userId
      ? [`the user is ${shown.userId}, but ${userId} is pinned`]
      : []),
    ...(shown.synchronizerId !== synchronizerId
      ? [`CANTON_SYNCHRONIZER_ID is ${shown.synchronizerId}, but ${synchronizerId} is pinned`]
      : []),
  ];
  return different.length === 0
    ? ok(check, `${id} as ${userId}`)
    : fail(
        check,
        different.join('; '),
        'change the settings back; if the change is intended, follow docs/runbooks.md, "Another participant takes over"',
      );
}
