import { Command } from 'commander';
import { loadDatabaseSettings } from '../config.js';
import { CommandRefused } from '../core/errors.js';
import type { TxHash } from '../core/ids.js';
import { failByHand, parkByHand, type WhyNotTaken } from '../store/operator/by-hand.js';
import { hashArgument, reasonArgument } from './support/arguments.js';
import { agreed } from './support/confirm.js';
import { withDatabase } from './support/database.js';
import { whoRuns } from './support/who.js';

interface Flags {
  readonly reason: string;
  readonly yes?: boolean;
}

/** Why not, and what to do instead. */
const INSTEAD: Readonly<Record<WhyNotTaken, string>> = {
  unknown: 'no row has this hash',
  completed: 'it is completed, which is final',
  failed: 'it has failed already, which is final',
  mined: 'it is mined, which is final',
  claimed:
    'an instance is working on it. `canton-submitter pause --sender ADDRESS REASON`, wait until `canton-submitter show` says that nobody holds it, and try again',
  undecided:
    'a submission of it may still be accepted, so its result cannot be set by hand yet. `canton-submitter pause --sender ADDRESS REASON` keeps it from being sent again; the looks go on, and once one has decided it (`canton-submitter show`), try again',
  'ended-before': 'its hash has ended before, and the next claim answers the row with that outcome: leave it',
  'on-the-ledger':
    'the ledger has something under its command id. Compare it by hand; `canton-submitter replay --completed HASH --update ID` ends it if that is this transfer',
  parked: 'it is parked already; `canton-submitter show` says why',
  halted: 'claims are halted, so a bound may not hold: docs/runbooks.md, "Halted", comes first',
  'database-in-doubt':
    'the database failed over or was restored within a week, so the row may have been done before. `canton-submitter park` it, or let an instance decide: it looks on the ledger first',
  changed: 'it has changed meanwhile: look at it again, and try again',
};

async function act(hash: TxHash, { reason, yes = false }: Flags, kind: 'fail' | 'park'): Promise<void> {
  await withDatabase(loadDatabaseSettings(process.env), async (database) => {
    if (kind === 'fail') {
      const lost = `${hash} will be failed for good. Its wallet reads: ${reason}`;
      if (!(await agreed(lost, 'Fail it?', yes))) return console.log('nothing was changed');
    }
    const change = kind === 'fail' ? failByHand : parkByHand;
    const refusal = await change(database, { hash, reason, by: whoRuns() });
    if (refusal !== null)
      throw new CommandRefused(
        `${hash} is not ${kind === 'fail' ? 'failed' : 'parked'}: ${INSTEAD[refusal]}`,
      );
    console.log(
      kind === 'fail'
        ? `${hash} has failed`
        : `${hash} is parked; its sender's later rows go on. \`canton-submitter replay --hash ${hash}\` makes it due again`,
    );
  });
}

const AFTER = `
Refused where an instance holds the row, or a submission of it may still be accepted: it says what to do instead. Leaves an
entry in mempool_submitter_audit_v1 with who and why.
Environment: DATABASE_URL.
`;

export function failCommand(): Command {
  return new Command('fail')
    .description('fail a row for good, where nothing of it can be on its way to the ledger')
    .argument('<hash>', 'the transaction', hashArgument)
    .requiredOption('--reason <text>', "what the wallet's user reads", reasonArgument)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `${AFTER}
Examples:
  canton-submitter fail 0x… --reason 'cancelled at your request'
  canton-submitter fail 0x… --reason 'cancelled at your request' --yes`,
    )
    .action((hash: TxHash, flags: Flags) => act(hash, flags, 'fail'));
}

export function parkCommand(): Command {
  return new Command('park')
    .description("set a row aside until `replay`; its sender's later rows go on")
    .argument('<hash>', 'the transaction', hashArgument)
    .requiredOption('--reason <text>', 'why, for whoever finds it in `status`', reasonArgument)
    .addHelpText(
      'after',
      `${AFTER}
Examples:
  canton-submitter park 0x… --reason 'asked the sender, waiting for an answer'
  canton-submitter park 0x… --reason 'crashes an instance, reported'`,
    )
    .action((hash: TxHash, flags: Flags) => act(hash, flags, 'park'));
}
