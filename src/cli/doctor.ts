import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { type Config, loadConfig } from '../config.js';
import { ConfigError, StoreUnavailable } from '../core/errors.js';
import { type Offset, txHashOf } from '../core/ids.js';
import type { OpenLedger } from '../ledger/ledger.js';
import { deepFindings } from '../preflight/deep.js';
import type { Facts } from '../preflight/facts.js';
import { type Finding, words } from '../preflight/finding.js';
import { CHECK_READ_MS } from '../preflight/preflight.js';
import { lookPatienceMs } from '../protocol/look.js';
import { askDatabaseTime } from '../store/check.js';
import { type Database, openDatabase } from '../store/pool.js';
import { cheapChecks } from '../submitter/start-checks.js';
import { openLedger } from '../submitter.js';
import { createSigner } from '../transfer/signer.js';
import { type DatabaseSide, databaseSide, pinsFinding } from './doctor/database.js';
import { type TransferFlags, transferFinding, transferMisuse } from './doctor/transfer.js';
import { exit } from './exit.js';
import { oneLine } from './support/text.js';

interface Flags extends TransferFlags {
  readonly json?: boolean;
}

const LINE = 1_000;

async function doctor(flags: Flags): Promise<void> {
  const problems = transferMisuse(flags);
  if (problems.length > 0) throw new ConfigError(problems);
  const config = loadConfig(process.env);
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
  const { url, poolSize } = config.database;
  const database = openDatabase({ url, poolSize, applicationName: 'canton-submitter doctor' });
  const ledger = openLedger(config);
  const ending = new AbortController();
  const interrupted = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  let bad = 0;
  const say = (finding: Finding): void => {
    if (finding.status === 'fail' || finding.status === 'wait') bad += 1;
    process.stdout.write(flags.json ? `${JSON.stringify(finding)}\n` : `${line(finding)}\n`);
  };
  try {
    for await (const finding of findings(config, { database, ledger, signal: ending.signal, flags }))
      say(finding);
    if (flags.transfer !== undefined && bad === 0) {
      const finding = await transferFinding(database, config, flags);
      if (finding === null) process.stderr.write('nothing was sent\n');
      else say(finding);
    } else if (flags.transfer !== undefined) {
      process.stderr.write('nothing was sent: first fix what is listed above\n');
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
    ledger.close();
    await database.close();
  }
  if (bad > 0) process.exitCode = exit.failure;
}

interface Sides {
  readonly database: Database;
  readonly ledger: OpenLedger;
  readonly signal: AbortSignal;
  readonly flags: Flags;
}

/** Ordered so that the first problem explains most of those that follow. */
async function* findings(config: Config, sides: Sides): AsyncGenerator<Finding> {
  const { database, ledger, signal } = sides;
  const side = await databaseSide(config, { database, signer: createSigner(config.masterKey) });
  yield* side.findings;
  const parties = side.users.slice(0, 20).map(({ party }) => party);
  const cheap = await cheapChecks(config, { ledger, parties, signal });
  yield* cheap.findings;
  const { facts } = cheap;
  if (facts === null) return;
  const { participantId: id, user } = facts;
  yield pinsFinding(side.pinned, {
    id: id.kind === 'read' ? id.value : null,
    userId: user.kind === 'read' ? user.value : null,
    synchronizerId: config.synchronizerId,
  });
  yield* ledgerEnd(side, facts);
  if (user.kind === 'read') yield* await deep(config, sides, { side, facts });
}

function* ledgerEnd({ pinned }: DatabaseSide, { end }: Facts): Generator<Finding> {
  const seen: Offset | null = pinned?.ledgerEnd ?? null;
  if (seen === null || end.kind !== 'read' || end.value >= seen) return;
  yield {
    check: 'ledger end',
    status: 'fail',
    what: `the ledger ends at ${end.value}, but ${seen} was seen earlier: was it restored from a backup?`,
    todo: 'follow docs/runbooks.md, "The participant was restored from a backup", before anything else',
  };
}

async function deep(
  config: Config,
  { ledger, database, signal, flags }: Sides,
  { side, facts }: { readonly side: DatabaseSide; readonly facts: Facts },
): Promise<readonly Finding[]> {
  const delay = facts.version.kind === 'read' ? facts.version.value.checkpointDelayMs : null;
  const patienceMs = flags.patience ?? lookPatienceMs(delay);
  if (process.stderr.isTTY) {
    process.stderr.write(`reading completions for up to ${Math.ceil(patienceMs / 1_000)} s …\n`);
  }
  const now = async (): Promise<number | null> => {
    try {
      return await askDatabaseTime(database);
    } catch (error) {
      if (error instanceof StoreUnavailable) return null;
      throw error;
    }
  };
  const settings = { ...config, packages: config.canton.packages };
  const { users, moreUsers, pinned } = side;
  return await deepFindings(
    {
      ledger,
      settings,
      facts,
      users,
      moreUsers,
      skewMaxMs: pinned?.clockSkewMaxMs ?? 60_000,
      now,
      patienceMs,
      commandId: txHashOf(randomBytes(32)),
    },
    { timeoutMs: CHECK_READ_MS, signal },
  );
}

/** The status first, so that the column can be read at a glance. */
const line = (finding: Finding): string => `${finding.status.padEnd(7)}  ${oneLine(words(finding), LINE)}`;

const seconds = (text: string): number => {
  const value = Number(text);
  if (value >= 0.1 && value <= 3_600) return value * 1_000;
  throw new InvalidArgumentError('give seconds, 0.1 to 3600');
};

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check the settings against the database, the participant and the registries; changes nothing',
    )
    .option('--json', 'print one line of JSON per finding: check, status, what, todo')
    .option('--patience <seconds>', 'how long to wait for the completion stream, and for --transfer', seconds)
    .option(
      '--transfer <amount>',
      'if all is well, send this much, in whole tokens, between two users of yours',
    )
    .option('--from <party|address>', 'the sender, one of `users`')
    .option('--to <party|address>', 'the receiver, one of `users`')
    .option('--token <0x…>', 'which token, if TOKENS_FILE has several')
    .option('--yes', 'do not ask before sending')
    .addHelpText(
      'after',
      `
Environment: as \`run\`. Each line is ok, warn (may be intended), fail (contradicts the ledger: the first \`run\` would
refuse it), wait (may pass, or somebody else has to act) or skipped (may not be asked), followed by what to do.
Exit codes: 0 all is well, 1 something fails or waits, 2 the configuration is invalid.

--transfer inserts a row into the mempool, as the API does, with a random hash and the sender's next nonce, and watches
what becomes of it. The running instances process it, so it is done exactly once, like any other. It moves real money.

Examples:
  canton-submitter doctor
  canton-submitter doctor --transfer 0.01 --from 0x… --to 0x…`,
    )
    .action(doctor);
}
