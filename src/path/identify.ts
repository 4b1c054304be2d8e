import type { DbMillis } from '../core/ids.js';
import { withoutTimes } from '../core/words.js';
import type { NotReady } from '../observe/events.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import type { DatabaseIdentity, Pinned } from '../ports/store.js';
import { PROTOCOL } from '../protocol/version.js';
import type { PathContext } from './context.js';
import { showsMark } from './marks.js';
import type { Verified } from './verified.js';

/** Checkpoints of an unknown cadence: an idle stream emits one a minute. */
const UNKNOWN_PATIENCE_MS = 75_000;
const AFTER_CHECKPOINT_MS = 5_000;

/**
 * Holds the participant that answers, and the database, against the pinned row; with a difference, why this instance
 * claims nothing. `latest`: the latest time that this process was told, for a recheck.
 */
export async function identify(
  path: PathContext,
  options: CallOptions,
  latest: DbMillis,
): Promise<Verified | NotReady> {
  const { settings, ledger } = path;
  const pinned = await rightDatabase(path, latest);
  if ('part' in pinned) return pinned;
  const version = await ledger.version(options);
  if (!ledger.ready()) return refuse('participant', unreachable(version));
  if (version.kind !== 'read')
    return refuse('participant', `its API version cannot be read: ${said(version)}`);
  const generation = /^3\.(\d+)/.exec(version.value.version);
  if (generation === null) {
    return refuse('participant', `it speaks Ledger API ${version.value.version}; this service needs 3.x`);
  }
  const user = await ledger.userId(options);
  if (user.kind !== 'read') return refuse('participant', `the ledger user is not known: ${said(user)}`);
  const asked = await ledger.participantId(options);
  const mayAskId = asked.kind === 'read';
  if (asked.kind !== 'read' && asked.refusal.errorId !== 'GRPC_PERMISSION_DENIED') {
    return refuse('participant', `its identity cannot be read: ${said(asked)}`);
  }
  const id = asked.kind === 'read' ? asked.value : settings.participantId;
  if (id === null)
    return refuse('participant', 'this token may not ask for the participant id: set CANTON_PARTICIPANT_ID');
  if (settings.participantId !== null && id !== settings.participantId) {
    return refuse('participant', `it is ${id}, but CANTON_PARTICIPANT_ID says ${settings.participantId}`);
  }
  const end = await ledger.ledgerEnd(options);
  if (end.kind !== 'read') return refuse('participant', `its ledger end cannot be read: ${said(end)}`);

  const pins = await agreedPins(path, pinned, { id, userId: user.value });
  if ('part' in pins) return pins;
  if (pins.ledgerEnd !== null && end.value < pins.ledgerEnd) {
    return refuse(
      'participant',
      `its ledger ends at ${end.value}, before ${pins.ledgerEnd} seen earlier: restored from a backup?`,
    );
  }
  const shown = pins.mark === null ? 'shown' : await showsMark(ledger, pins, options);
  if (shown === 'missed') {
    return refuse(
      'participant',
      `it does not show update ${pins.mark?.updateId} that ${id} has shown: another participant, or restored`,
    );
  }
  // Without the mark's word the id has to hold before and after what was read: the connection may have moved (P27).
  if (mayAskId && (pins.mark === null || shown === 'unsure')) {
    const still = await ledger.participantId(options);
    if (still.kind !== 'read' || still.value !== id)
      return refuse('participant', 'who answers changed, or cannot be asked, while it was checked');
  }
  const delay = version.value.checkpointDelayMs;
  const patience = delay === null ? UNKNOWN_PATIENCE_MS : delay + AFTER_CHECKPOINT_MS;
  return {
    pinned: pins,
    participantId: id,
    mayAskId,
    looksUpHashes: Number(generation[1]) >= 6,
    tellsReassignments: Number(generation[1]) < 7,
    patienceMs: settings.lookPatienceMs ?? patience,
    end: end.value,
  };
}

/** The first instance that connects pins what it was shown; every later one has to match it. */
async function agreedPins(
  { settings, store }: PathContext,
  pinned: Pinned,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<Pinned | NotReady> {
  const mine = { id, userId, synchronizerId: settings.synchronizerId };
  const pins =
    pinned.participant === null
      ? ((await store.pinParticipant(pinned.generation, mine)) ?? (await store.pinned()))
      : pinned;
  if (pins?.participant == null) return refuse('pins', 'another instance is pinning the participant');
  for (const key of ['id', 'userId', 'synchronizerId'] as const) {
    if (pins.participant[key] !== mine[key]) {
      return refuse(
        'participant',
        `${LABEL[key]} is ${mine[key]}, but this database is pinned to ${pins.participant[key]}`,
      );
    }
  }
  return pins;
}

/**
 * The pinned row, of the database that was pinned. Another timeline (a failover, a restore) may lack what was written
 * last, so the first instance that sees it rechecks before anything is claimed (P20).
 */
async function rightDatabase(path: PathContext, latest: DbMillis): Promise<Pinned | NotReady> {
  const { settings, store, emit } = path;
  for (let tries = 0; tries < RECHECK_TRIES; tries++) {
    const pinned = await store.pinned();
    if (pinned === null)
      return refuse('schema', 'the database is not migrated: run `canton-submitter migrate`');
    const odd = disagreement(pinned, settings);
    if (odd !== null) return refuse('pins', odd);
    if (pinned.halted !== null) return refuse('pins', `halted: ${pinned.halted}`);
    if (sameDatabase(pinned)) return pinned;
    if (pinned.databaseNow === null)
      return refuse('pins', "the database's timeline was pinned, and may not be asked for any more");
    const oneStepTokens = [...settings.tokens].flatMap(([address, { steps }]) =>
      steps === 1 ? [address] : [],
    );
    const result = await store.recheck({ generation: pinned.generation, notBefore: latest, oneStepTokens });
    if (result === null) continue;
    const what = `the database is ${named(pinned.databaseNow)}, and was ${named(pinned.database)} (a failover, a restore, or a copy): ${result.rows} pending rows are looked up on the ledger before anything is sent for them`;
    emit({ kind: 'alarm', what, txHash: null });
  }
  return refuse('pins', 'another instance is rechecking');
}

const RECHECK_TRIES = 3;

const IDENTITY = ['systemId', 'timeline', 'database', 'table'] as const;

const named = (identity: DatabaseIdentity | null): string =>
  IDENTITY.map((part) => identity?.[part] ?? '').join('/');

const sameDatabase = ({ database, databaseNow }: Pinned): boolean =>
  database === null || IDENTITY.every((part) => database[part] === databaseNow?.[part]);

/** What processes must agree on, since they would break each other's work otherwise (P30). */
export function disagreement(
  pinned: Pinned,
  mine: { readonly lanes: string; readonly toleranceMs: number; readonly sameNonce: string | null },
): string | null {
  if (pinned.protocol !== PROTOCOL) {
    return `the database speaks protocol ${pinned.protocol}, this version ${PROTOCOL}: run one version, after \`migrate\``;
  }
  if (pinned.lanes !== mine.lanes) {
    return `LANES is ${mine.lanes} here and ${pinned.lanes} in the database: \`migrate\` pins it for all`;
  }
  if (pinned.toleranceMs !== mine.toleranceMs) {
    return `LEDGER_TIME_TOLERANCE_MS is ${mine.toleranceMs} here and ${pinned.toleranceMs} in the database: \`migrate\` pins it for all`;
  }
  // Not set is no word on it; set, it has to be what is done: it decides whether a second transfer is paid.
  if (mine.sameNonce !== null && pinned.sameNonce !== mine.sameNonce) {
    return `SAME_NONCE is ${mine.sameNonce} here and ${pinned.sameNonce} in the database: \`migrate --same-nonce\` pins it for all`;
  }
  return null;
}

export const refuse = (part: NotReady['part'], reason: string): NotReady => ({ part, reason });

const LABEL = {
  id: 'the participant',
  userId: 'CANTON_USER_ID',
  synchronizerId: 'CANTON_SYNCHRONIZER_ID',
} as const;

/** A wrong port, a wrong authority: the connection's own words. */
function unreachable(version: Read<unknown>): string {
  const detail = version.kind === 'read' ? '' : withoutTimes(version.refusal.detail);
  return `the participant cannot be reached${detail === '' ? '' : `: ${detail}`}`;
}

const said = (read: Exclude<Read<unknown>, { kind: 'read' }>): string =>
  `${read.refusal.errorId}: ${read.refusal.detail}`;
