import { Command, InvalidArgumentError, Option } from 'commander';
import { withoutPassword } from '../config/secrets.js';
import { CommandRefused, ConfigError } from '../core/errors.js';
import { DAY_MS } from '../core/ids.js';
import { LANES } from '../protocol/lanes.js';
import { roleProblem, sqlState, toStoreError } from '../store/errors.js';
import type { PinChanges } from '../store/migrate/change-pins.js';
import { migrateDown } from '../store/migrate/down.js';
import type { OldUser } from '../store/migrate/first-pin.js';
import { DEFAULTS, migrate } from '../store/migrate/migrate.js';
import { printMigration } from '../store/migrate/print.js';
import { printRoles } from '../store/migrate/roles.js';
import { remark, repin } from '../store/operator/repin.js';
import { type Lanes, OUTCOMES, type Outcomes, type SameNonce } from '../store/pins.js';
import { readSettings } from './migrate/settings.js';
import { reasonArgument } from './support/arguments.js';
import { agreed } from './support/confirm.js';
import { unheard } from './support/output.js';
import { count } from './support/text.js';
import { decidedBy } from './support/who.js';

interface Flags {
  readonly create?: boolean;
  readonly down?: boolean;
  readonly print?: boolean;
  readonly roles?: string;
  readonly repin?: boolean;
  readonly remark?: boolean;
  readonly oldUser?: string;
  readonly lanes?: Lanes;
  readonly sameNonce?: SameNonce;
  readonly outcomes?: Outcomes;
  readonly tolerance?: number;
  readonly lowerTolerance?: number;
  readonly clockSkew?: number;
  readonly lowerClockSkew?: number;
  readonly reason?: string;
  readonly yes?: boolean;
}

const WAYS = [
  'down',
  'print',
  'roles',
  'repin',
  'remark',
  'lanes',
  'sameNonce',
  'outcomes',
  'tolerance',
  'lowerTolerance',
  'clockSkew',
  'lowerClockSkew',
] as const;

const changesOf = (flags: Flags): PinChanges => ({
  ...(flags.lanes === undefined ? {} : { lanes: flags.lanes }),
  ...(flags.sameNonce === undefined ? {} : { sameNonce: flags.sameNonce }),
  ...(flags.outcomes === undefined ? {} : { outcomes: flags.outcomes }),
  ...(flags.tolerance === undefined ? {} : { toleranceMs: flags.tolerance, clearsHalt: true }),
  ...(flags.lowerTolerance === undefined ? {} : { toleranceMs: flags.lowerTolerance, lowers: true }),
  ...(flags.clockSkew === undefined ? {} : { clockSkewMaxMs: flags.clockSkew }),
  ...(flags.lowerClockSkew === undefined ? {} : { clockSkewMaxMs: flags.lowerClockSkew, lowers: true }),
});

async function run(flags: Flags): Promise<void> {
  if (WAYS.filter((way) => flags[way] !== undefined).length > 1) {
    throw new ConfigError([
      'give only one of --down, --print, --roles, --repin, --remark, --lanes, --same-nonce, --outcomes, --tolerance, --lower-tolerance, --clock-skew and --lower-clock-skew',
    ]);
  }
  if (flags.roles !== undefined) {
    process.stdout.write(printRoles(flags.roles));
    return;
  }
  const settings = readSettings(process.env, !flags.print);
  const say = (line: string): void => console.log(line);
  const oldUser: OldUser | null =
    flags.oldUser === undefined
      ? null
      : flags.oldUser === 'same'
        ? { kind: 'same' }
        : { kind: 'other', id: flags.oldUser };
  if (flags.print) {
    const pin = {
      lanes: settings.lanes ?? DEFAULTS.lanes,
      toleranceMs: settings.toleranceMs ?? DEFAULTS.toleranceMs,
      clockSkewMaxMs: settings.clockSkewMaxMs ?? DEFAULTS.clockSkewMaxMs,
      sameNonce: settings.sameNonce ?? DEFAULTS.sameNonce,
    };
    const { oneStepTokens: oneStep, outcomes } = settings;
    process.stdout.write(printMigration(pin, oneStep, oldUser, flags.create ?? false, outcomes ?? 'off'));
    return;
  }
  const url = settings.url ?? '';
  const who = decidedBy(flags.reason);
  const agrees = (lost: string, question: string): Promise<boolean> =>
    agreed(lost, question, flags.yes ?? false);
  if (flags.down) {
    const lost = (preview: { readonly updates: number; readonly participant: string | null }): string =>
      `This forgets which ledger update completed ${count(preview.updates, 'row')}, and what is pinned${preview.participant === null ? '' : ` (${preview.participant})`}. The audit and the memory of ended transactions are kept.`;
    return await migrateDown(
      url,
      (preview) => agrees(lost(preview), 'Restore the table to what it was?'),
      say,
      who,
    );
  }
  if (flags.repin) {
    return await repin(
      url,
      ({ participant, rechecked, undecided, claimed }) =>
        agrees(
          `${rechecked ? RECHECK_ENDS : ''}The pinned participant is ${participant}. Its ${count(undecided, 'undecided row')} will be parked, and can then only be ended by replay --completed or --force-new; ${count(claimed, 'other claim')} will end.`,
          'Pin another participant?',
        ),
      say,
      who,
    );
  }
  if (flags.remark) {
    return await remark(
      url,
      ({ participant, marks }) =>
        agrees(
          `Marks on ${participant}: offsets ${marks.join(', ')}. Until there is a new mark, only its id distinguishes it from another participant, and nothing distinguishes it from a backup of itself that is not behind the pinned ledger end.`,
          'Forget these marks?',
        ),
      say,
      who,
    );
  }
  if (flags.lowerTolerance !== undefined || flags.lowerClockSkew !== undefined) {
    const lost =
      'If a bound is lower than what the synchronizer allows, or than the difference between the clocks, a transfer can be taken for dead, be accepted afterwards, and be paid twice.';
    if (!(await agrees(lost, 'Lower it?'))) return say('nothing was changed');
  }
  await migrate({
    ...settings,
    url,
    say,
    oldUser,
    create: flags.create ?? false,
    changes: changesOf(flags),
    decided: who,
  });
  const toleranceMs = flags.tolerance ?? flags.lowerTolerance;
  if (toleranceMs !== undefined) {
    say(`start every instance with LEDGER_TIME_TOLERANCE_MS=${toleranceMs}; with another it claims nothing`);
  }
}

const RECHECK_ENDS =
  'A failover or a restore is less than seven days ago. Until then a transfer that is inserted again, because its row was lost with it, is looked for on the pinned participant; on another one it would be paid again. ';

const wholeMs = (text: string): number => {
  if (/^\d{1,8}$/.test(text) && Number(text) <= DAY_MS) return Number(text);
  throw new InvalidArgumentError(`give a whole number of milliseconds, 0 to ${DAY_MS}`);
};

const ROLES = 'canton_submitter';

/** It is written into SQL as it is, and a suffix comes after it. */
const rolePrefix = (text: string): string => {
  if (/^[a-z_][a-z0-9_]{0,49}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'give lower-case letters, digits and _, at most 50, not beginning with a digit',
  );
};

/** The database's own error is shown as it is; the lines before it tell which statement it was. */
function inWords(error: unknown): unknown {
  if (error instanceof ConfigError || error instanceof CommandRefused) return error;
  const role = roleProblem(error, withoutPassword(process.env.DATABASE_URL ?? ''));
  if (role !== null) return new ConfigError([role]);
  return sqlState(error) === null
    ? toStoreError(error)
    : new CommandRefused(
        `the database refused the migration: ${error instanceof Error ? error.message : String(error)}`,
      );
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'prepare the database: columns, indexes, triggers, and the values that all instances must agree on',
    )
    .option('--create', "create the API's tables if they are missing, for a trial without the API")
    .option('--down', 'restore the table to what it was; refused while rows are claimed, undecided or parked')
    .option('--print', 'print the SQL, to be applied by hand, and change nothing')
    .addOption(
      new Option('--roles [prefix]', 'print the SQL of roles with least privileges, and change nothing')
        .preset(ROLES)
        .argParser(rolePrefix),
    )
    .option(
      '--old-user <id>',
      'for the first migration: the ledger user of the previous submitter; `same`: CANTON_USER_ID',
    )
    .addOption(new Option('--lanes <lanes>', 'pin other lanes').choices(LANES))
    .addOption(
      new Option('--same-nonce <what>', 'pin what happens to a nonce that is used twice').choices([
        'pay',
        'park',
      ]),
    )
    .addOption(
      new Option('--outcomes <whom>', 'keep every outcome for others, or do not; docs/outcomes.md').choices(
        OUTCOMES,
      ),
    )
    .option(
      '--tolerance <ms>',
      "pin the synchronizer's time tolerance, not lower than now, and end a halt",
      wholeMs,
    )
    .option('--lower-tolerance <ms>', 'pin a lower time tolerance; explains the risk first', wholeMs)
    .option('--clock-skew <ms>', 'pin how far the clocks may differ, not lower than now', wholeMs)
    .option('--lower-clock-skew <ms>', 'pin a lower clock difference; explains the risk first', wholeMs)
    .option(
      '--repin',
      'give up the pinned participant: parks undecided rows, and the next instance pins anew',
    )
    .option('--remark', 'forget the marks on the participant, if it can no longer show any of them')
    .option(
      '--reason <text>',
      'why something is pinned anew, given up or restored, for the audit',
      reasonArgument,
    )
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Environment: DATABASE_URL (required); for the first migration LANES (sender, holdings or off), SAME_NONCE (pay or park),
OUTCOMES (off, consumers or webhooks), LEDGER_TIME_TOLERANCE_MS, CLOCK_SKEW_MAX_MS, and TOKENS_FILE if rows of hosted
senders are pending. After that, pinned values no longer follow the environment: each has its own flag. Stop the old submitter
three minutes before the first migration.

Examples:
  canton-submitter migrate --old-user same
  canton-submitter migrate --print > migration.sql
  canton-submitter migrate --tolerance 90000`,
    )
    .action(async (flags: Flags) => {
      try {
        // Stopping half-way because nobody reads the output (`| head`) would help nobody.
        if (flags.print || flags.roles !== undefined) await run(flags);
        else await unheard(() => run(flags));
      } catch (error) {
        throw inWords(error);
      }
    });
}
