// Checks that would delay a start: every party's rights, the packages, a preparation that nobody signs, and the next
// event of the completion stream. Reads only.
import { DAY_MS, type Micros, microsOf, type Offset, type Party, party, type TxHash } from '../core/ids.js';
import type { Token } from '../core/token.js';
import type { Transfer } from '../core/transfer.js';
import type { UserParty } from '../core/user-party.js';
import type { HoldingSample } from '../ledger/inspect-holdings.js';
import type { Probe } from '../ledger/inspect-participant.js';
import type { Inspector } from '../ledger/inspector.js';
import { type CallOptions, isClosed, type Ledger, type Read } from '../ports/ledger.js';
import { limited } from '../runtime/limit.js';
import { clockFinding, type Times } from './clock.js';
import type { Facts, PreflightSettings } from './facts.js';
import { type Finding, fail, ok, skipped, unread, wait, warn } from './finding.js';
import { checkpointsFinding, deduplicationFinding, packagesFinding, rightsFinding } from './users.js';

export interface DeepQuestions {
  readonly ledger: Pick<Ledger, 'completions' | 'registryFactory'> & { readonly inspect: Inspector };
  readonly settings: PreflightSettings & {
    readonly packages: Readonly<Record<'cip56' | 'holding' | 'transfer', string>>;
    readonly lookPatienceMs: number | null;
  };
  readonly facts: Facts;
  readonly users: readonly UserParty[];
  /** There are more of them than these. */
  readonly moreUsers: boolean;
  readonly skewMaxMs: number;
  /** The database's time, in ms since the epoch; null if the database cannot be reached. */
  now(): Promise<number | null>;
  /** How long to wait for the completion stream. */
  readonly patienceMs: number;
  /** 32 random bytes: a preparation needs a command id, but is never sent. */
  readonly commandId: TxHash;
}

export async function deepFindings(ask: DeepQuestions, options: CallOptions): Promise<readonly Finding[]> {
  const { facts, settings, users } = ask;
  const user = facts.user.kind === 'read' ? facts.user.value : 'the ledger user';
  const delay = facts.version.kind === 'read' ? facts.version.value.checkpointDelayMs : null;
  const before = await ask.now();
  const probed = await probe(ask, before, options);
  const afterProbe = await ask.now();
  const stream = await firstCompletion(ask, options);
  const after = await ask.now();
  const clock = probed?.read.kind === 'read' ? probed.read.value.clock : null;
  const times = (told: Times['told'], from: number | null, until: number | null): Finding =>
    from === null || until === null
      ? skipped('clocks', 'the database cannot be reached', 'run doctor again')
      : clockFinding({ before: from, after: until, told, skewMaxMs: ask.skewMaxMs });
  return [
    rightsFinding(user, facts.rights, users, ask.moreUsers),
    await packages(ask, options),
    hashing(probed, facts),
    stream.finding,
    clock !== null
      ? times({ kind: 'now', at: Number(clock / 1000n) }, before, afterProbe)
      : times(stream.at === null ? null : { kind: 'past', at: stream.at }, before, after),
    checkpointsFinding(delay, settings.lookPatienceMs),
    deduplicationFinding,
    ...(await stepsFindings(ask, before, options)),
  ];
}

/** Packages given by id are not looked up: the id says which one. */
async function packages({ ledger, settings }: DeepQuestions, options: CallOptions): Promise<Finding> {
  const { cip56, holding, transfer } = settings.packages;
  const names = [...new Set([cip56, holding, transfer])].flatMap((one) =>
    one.startsWith('#') ? [one.slice(1)] : [],
  );
  if (names.length === 0) return ok('packages', 'all packages are given by id');
  const { issuerParty, synchronizerId } = settings;
  const read = await ledger.inspect.packages({ names, parties: [issuerParty], synchronizerId }, options);
  return packagesFinding(names, read);
}

interface Probed {
  readonly asked: 2 | 3;
  readonly read: Read<Probe>;
  /** Why V3 was refused, if V2 had to be asked for. */
  readonly refused: string | null;
}

/** Null: there is nothing to try it with. */
async function probe(ask: DeepQuestions, now: number | null, options: CallOptions): Promise<Probed | null> {
  const transfer = now === null ? null : trialOf(ask, now);
  if (transfer === null) return null;
  const { inspect } = ask.ledger;
  const third = await inspect.probe(transfer, 3, options);
  if (third.kind === 'read') return { asked: 3, read: third, refused: null };
  const second = await inspect.probe(transfer, 2, options);
  return { asked: 2, read: second, refused: third.refusal.errorId };
}

/** The smallest amount of an own token that a user holds, to anybody else. It is only prepared. */
function trialOf({ facts, users, settings, commandId }: DeepQuestions, now: number): Transfer | null {
  if (facts.factories.kind !== 'read' || facts.held.kind !== 'read') return null;
  const [factory] = facts.factories.value;
  const usable = (one: HoldingSample): boolean =>
    one.admin === settings.issuerParty && !one.locked && users.some((user) => user.party === one.owner);
  const holding = facts.held.value.samples.find(usable);
  if (factory === undefined || holding === undefined) return null;
  const receiver = users.find((user) => user.party !== holding.owner)?.party ?? settings.issuerParty;
  return {
    commandId,
    factory: { kind: 'own', contractId: factory },
    sender: party(holding.owner),
    receiver: party(receiver),
    admin: holding.admin,
    instrumentId: holding.instrumentId,
    amount: 1n,
    holdings: [holding.contractId],
    ...timesOf(now),
  };
}

const timesOf = (now: number): { requestedAt: Micros; executeBefore: Micros } => ({
  requestedAt: microsOf(now - 5_000),
  executeBefore: microsOf(now + DAY_MS),
});

function hashing(probed: Probed | null, { version }: Facts): Finding {
  const check = 'hashing';
  if (probed === null) {
    const said = version.kind === 'read' ? `Ledger API ${version.value.version}` : 'this participant';
    return skipped(
      check,
      `nothing to prepare on ${said}: no user has an unlocked holding of the issuer's`,
      'ask again when one does',
    );
  }
  const { read, refused } = probed;
  if (read.kind === 'failed-read') {
    if (isClosed(read)) return skipped(check, 'this token may not prepare transactions', 'check its rights');
    return unread(check, read, { what: 'a preparation', todo: 'check the packages and the factory' });
  }
  const { scheme, cost } = read.value;
  const traffic = cost === null ? '' : `; a transfer is estimated at ${cost} bytes of traffic`;
  if (scheme !== 2 && scheme !== 3) {
    return fail(
      check,
      `the participant hashes with scheme V${scheme}`,
      'external senders cannot sign that: update canton-mempool-submitter',
    );
  }
  return ok(check, `V${scheme}${refused === null ? '' : ` (V3 is refused: ${refused})`}${traffic}`);
}

/** Waits for the next event of the stream, from its end: a checkpoint if nothing else happens. */
async function firstCompletion(
  { ledger, users, settings, facts, patienceMs }: DeepQuestions,
  { signal }: CallOptions,
): Promise<{ readonly finding: Finding; readonly at: number | null }> {
  const check = 'completions';
  if (facts.end.kind === 'failed-read') {
    return { finding: wait(check, 'the ledger end cannot be read', 'run doctor again'), at: null };
  }
  const parties: readonly Party[] =
    users.length === 0 ? [settings.issuerParty] : users.map((user) => party(user.party));
  const beginExclusive: Offset = facts.end.value;
  const given = signal === undefined ? [] : [signal];
  return await limited(given, patienceMs, async (ending) => {
    const stream = ledger.completions({ parties, beginExclusive }, ending);
    const next = await stream.next();
    await stream.return(null);
    if (next.done !== true) {
      const event = next.value;
      const seen = event.kind === 'checkpoint' ? event.times : event.time === null ? [] : [event.time];
      const time = seen.find((one) => one.synchronizerId === settings.synchronizerId);
      const of = users.length === 0 ? 'of the issuer' : `of ${parties.length} parties`;
      return {
        finding: ok(check, `the stream ${of} opens; it sent a ${event.kind}`),
        at: time === undefined ? null : Number(time.recordTime / 1000n),
      };
    }
    const failed = next.value;
    if (failed === null || ending.aborted) {
      return {
        finding: warn(
          check,
          `the stream opens, but sent nothing for ${patienceMs} ms`,
          'a quiet synchronizer may take half an hour: undecided rows wait for it',
        ),
        at: null,
      };
    }
    const todo = 'grant CanReadAs for every sender, and check CANTON_USER_ID';
    return {
      finding: isClosed(failed)
        ? fail(
            check,
            `this user may not read the completions of its senders (${failed.refusal.errorId})`,
            todo,
          )
        : unread(check, failed, { what: 'the completion stream', todo }),
      at: null,
    };
  });
}

/**
 * For each receiver the registry decides whether its token moves directly or is offered. Asked here for two of the
 * users.
 */
async function stepsFindings(
  { settings, facts, users, ledger }: DeepQuestions,
  now: number | null,
  options: CallOptions,
): Promise<Finding[]> {
  const held = facts.held.kind === 'read' ? facts.held.value.samples : [];
  const one = async (token: Token, registryUrl: string): Promise<Finding> => {
    const check = `steps of ${token.symbol} ${token.address}`;
    const holding = held.find(
      (seen) =>
        !seen.locked && seen.admin === token.instrumentAdmin && seen.instrumentId === token.instrumentId,
    );
    const sender = holding?.owner ?? users[0]?.party;
    const receiver = users.find((user) => user.party !== sender)?.party;
    if (now === null || sender === undefined || receiver === undefined) {
      return skipped(
        check,
        'it takes two users to ask the registry, and there are fewer',
        'ask again once there are',
      );
    }
    const terms = {
      sender: party(sender),
      receiver: party(receiver),
      admin: token.instrumentAdmin,
      instrumentId: token.instrumentId,
      amount: 1n,
      holdings: holding === undefined ? [] : [holding.contractId],
      ...timesOf(now),
    };
    const read = await ledger.registryFactory(registryUrl, terms, options);
    if (read.kind === 'failed-read') {
      return warn(check, `${read.refusal.errorId}: ${read.refusal.detail}`, 'its rows wait for the registry');
    }
    return stepsFinding(check, token, read.value.transferKind);
  };
  const asked = [...settings.tokens.values()].flatMap((token) =>
    token.registryUrl === undefined ? [] : [one(token, token.registryUrl)],
  );
  return await Promise.all(asked);
}

function stepsFinding(check: string, token: Token, kind: string | null): Finding {
  if (kind === 'offer' && token.steps === 1) {
    return warn(
      check,
      'its registry makes an offer, but TOKENS_FILE says one step: such rows park',
      'set "steps": 2, and "offerIsDone": true if an offer counts as completed; or have receivers preapprove transfers',
    );
  }
  if (token.steps === 2 && !token.offerIsDone) {
    return warn(
      check,
      'two steps without "offerIsDone": its rows park',
      'set "offerIsDone": true if an offer counts as completed, or remove the token',
    );
  }
  return ok(check, `${kind ?? 'not told'} for the receiver that was asked about`);
}
