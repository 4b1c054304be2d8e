// The demo, from its first line to the verdict.
import { formatDecimal } from '../../core/decimal.js';
import { addUsers, type NewUser } from '../../store/operator/users.js';
import { sealKey } from '../../transfer/key.js';
import type { SandboxParty } from '../support/sandbox-at.js';
import { count } from '../support/text.js';
import { readClaimStatements, readEnded } from './database.js';
import { createInserter, watch } from './drive.js';
import type { Picture } from './picture.js';
import { createRows, createUsers, type DemoRow, LARGEST } from './scenario.js';
import { type Stage, setStage, type Teardown } from './stage.js';
import { balancesByRows, brokenGuarantees, type Evidence, type Summary, summarize } from './tally.js';

export interface PlayOptions {
  /** All rows, including the backlog. */
  readonly rows: number;
  readonly instances: number;
  readonly senders: number;
  readonly backlog: number;
  /** Absent: spread like a real ledger's commits, scaled. */
  readonly latencyMs?: number;
  readonly seed: string;
}

/** Inserts a second, as long as that takes at most a minute: what two cores that run everything can keep up with. */
export const RATE = 50;
const LONGEST_S = 60;

export interface Result {
  readonly summary: Summary;
  readonly broken: readonly string[];
  readonly seconds: number;
}

export async function play(
  options: PlayOptions,
  teardown: Teardown,
  picture: Picture,
  signal: AbortSignal,
): Promise<Result> {
  const rows = Math.max(options.rows, options.backlog);
  const commits =
    options.latencyMs === undefined
      ? '0.5 to 1.5 s, like a real ledger ten times as fast'
      : `${options.latencyMs} ms`;
  picture.say(
    `Starting a throw-away Postgres, a participant whose commits take ${commits}, and ${count(options.instances, 'submitter')}.`,
  );
  const stage = await setStage(options, teardown);
  signal.throwIfAborted();
  const { database, participant, tokens, chainId } = stage;
  const inserter = createInserter(database, signal);

  const backlogged = options.backlog > 0;
  const ready = backlogged ? null : stage.startSubmitters(options.instances);
  ready?.catch(() => {});
  const plan = { rows, senders: options.senders, seed: options.seed, chainId, tokens };
  const users = await createUsers(plan);
  const parties = await participant.createParties(
    users,
    tokens.map(({ symbol }) => symbol),
    `${rows * LARGEST}`,
  );
  await addUsers(
    database,
    users.map(({ address }, index) => account(address, parties[index], stage.masterKey)),
  );
  picture.say(
    `${users.length} users with parties and holdings, half of them external; signing ${rows} transfers (seed ${options.seed}).`,
  );
  const made = await createRows(plan, users);
  signal.throwIfAborted();

  await inserter.insert(made.slice(0, options.backlog));
  if (backlogged) picture.say(`${options.backlog} rows are waiting; starting all submitters at once.`);
  const begun = performance.now();
  const starting = ready ?? stage.startSubmitters(options.instances);
  // Transfers keep arriving before the first watch starts.
  const rest = made.slice(options.backlog);
  const everyMs = 1_000 / Math.max(RATE, rest.length / LONGEST_S);
  const submitters = await starting;
  const [odd] = await Promise.all([
    watch({ database, submitters, inserter, rows, picture, signal }),
    inserter.insert(rest, everyMs),
  ]);
  const seconds = (performance.now() - begun) / 1_000;
  signal.throwIfAborted();

  await stage.stopSubmitters();
  const evidence = await gather(stage, options, made, {
    parties: parties.map(({ party }) => party),
    committedAt: inserter.committedAt,
  });
  const summary = summarize(evidence);
  return { summary, broken: [...odd, ...brokenGuarantees(evidence, summary)], seconds };
}

function account(address: string, party: SandboxParty | undefined, masterKey: Uint8Array): NewUser {
  if (party === undefined) throw new Error('the sandbox created fewer parties than were asked for');
  const { privateKey } = party;
  const sealedKey = privateKey === null ? null : sealKey(Buffer.from(privateKey, 'hex'), masterKey);
  return { address, party: party.party, sealedKey };
}

interface Known {
  readonly parties: readonly string[];
  readonly committedAt: ReadonlyMap<string, number>;
}

async function gather(
  stage: Stage,
  options: PlayOptions,
  rows: readonly DemoRow[],
  known: Known,
): Promise<Evidence> {
  const { database, participant } = stage;
  const [ended, audit, { ledgerCalls, doubleCommits }, claimStatements] = await Promise.all([
    readEnded(database),
    participant.audit(),
    participant.summary(),
    readClaimStatements(database),
  ]);
  const completed = new Set(ended.filter(({ status }) => status === 'completed').map(({ hash }) => hash));
  const done = rows.filter(({ hash }) => completed.has(hash));
  // Rows that arrived before the submitters started say nothing of their latency: shown only where there are no others.
  const measured = rows.slice(options.backlog < rows.length ? options.backlog : 0);
  const committedAt = new Map(measured.map(({ hash }) => [hash, known.committedAt.get(hash) ?? 0]));
  return {
    rows,
    instances: options.instances,
    ended,
    audit,
    ledgerCalls,
    doubleCommits,
    claimStatements,
    committedAt,
    oddBalances: await oddBalances(stage, known.parties, done, BigInt(rows.length * LARGEST)),
  };
}

/** Compares what every party must have according to the completed rows with what the ledger says. */
async function oddBalances(
  { participant, tokens }: Stage,
  parties: readonly string[],
  done: readonly DemoRow[],
  granted: bigint,
): Promise<string[]> {
  const should = balancesByRows(parties.length, tokens, done, granted);
  const odd: string[] = [];
  for (const [index, party] of parties.entries()) {
    const holds = await participant.balances(party);
    for (const { symbol } of tokens) {
      const is = holds.get(symbol) ?? 0n;
      const wanted = should[index]?.get(symbol) ?? 0n;
      if (is !== wanted)
        odd.push(
          `${party} has ${formatDecimal(is)} ${symbol}, but should have ${formatDecimal(wanted)} according to the rows`,
        );
    }
  }
  return odd;
}
