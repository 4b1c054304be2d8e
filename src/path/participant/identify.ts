import type { DbMillis } from '../../core/ids.js';
import { withoutTimes } from '../../core/words.js';
import type { NotReady } from '../../observe/events.js';
import type { CallOptions, Read } from '../../ports/ledger.js';
import type { DatabaseIdentity, Pinned } from '../../ports/store.js';
import { PROTOCOL } from '../../protocol/version.js';
import type { PathContext } from '../given/context.js';
import type { Unverified, Verified } from '../given/parts.js';
import { showsMark } from './marks.js';

/** Where the participant does not say how often it emits checkpoints: on an idle stream, once a minute. */
const UNKNOWN_PATIENCE_MS = 75_000;
const AFTER_CHECKPOINT_MS = 5_000;

/**
 * Compares the participant that answers, and the database, with the pinned row. Where they differ: why this instance
 * claims nothing. `latest`: the latest time this process was told, for a recheck.
 */
export async function identify(
  path: PathContext,
  options: CallOptions,
  latest: DbMillis,
): Promise<Verified | Unverified> {
  const { settings, ledger } = path;
  const pinned = await rightDatabase(path, latest);
  if ('kind' in pinned) return pinned;
  const version = await ledger.version(options);
  if (!ledger.ready()) return unverified('participant', unreachable(version));
  if (version.kind !== 'read')
    return unverified('participant', `its API version cannot be read: ${said(version)}`);
  const generation = /^3\.(\d+)/.exec(version.value.version);
  if (generation === null) {
    return unverified('participant', `it speaks Ledger API ${version.value.version}; this service needs 3.x`);
  }
  const user = await ledger.userId(options);
  if (user.kind !== 'read') return unverified('participant', `the ledger user is not known: ${said(user)}`);
  const asked = await ledger.participantId(options);
  const mayAskId = asked.kind === 'read';
  if (asked.kind !== 'read' && asked.refusal.errorId !== 'GRPC_PERMISSION_DENIED') {
    return unverified('participant', `its identity cannot be read: ${said(asked)}`);
  }
  const id = asked.kind === 'read' ? asked.value : settings.participantId;
  if (id === null)
    return unverified(
      'participant',
      'this token may not ask for the participant id: set CANTON_PARTICIPANT_ID',
    );
  if (settings.participantId !== null && id !== settings.participantId) {
    return unverified('participant', `it is ${id}, but CANTON_PARTICIPANT_ID says ${settings.participantId}`);
  }
  const end = await ledger.ledgerEnd(options);
  if (end.kind !== 'read') return unverified('participant', `its ledger end cannot be read: ${said(end)}`);

  const pins = await agreedPins(path, pinned, { id, userId: user.value });
  if ('kind' in pins) return pins;
  if (pins.ledgerEnd !== null && end.value < pins.ledgerEnd) {
    return unverified(
      'participant',
      `its ledger ends at ${end.value}, before ${pins.ledgerEnd} seen earlier: restored from a backup?`,
    );
  }
  const shown = pins.mark === null ? 'shown' : await showsMark(ledger, pins, options);
  if (shown === 'missed') {
    return unverified(
      'participant',
      `it does not show update ${pins.mark?.updateId}, which ${id} has shown: another participant, or one restored from a backup`,
    );
  }
  // Without a mark the id has to be the same before and after what was read: the connection may have moved (P27).
  if (mayAskId && (pins.mark === null || shown === 'unsure')) {
    const still = await ledger.participantId(options);
    if (still.kind !== 'read' || still.value !== id)
      return unverified(
        'participant',
        'another participant answered while it was checked, or its id could not be read',
      );
  }
  const delay = version.value.checkpointDelayMs;
  const patience = delay === null ? UNKNOWN_PATIENCE_MS : delay + AFTER_CHECKPOINT_MS;
  return {
    kind: 'verified',
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
): Promise<Pinned | Unverified> {
  const mine = { id, userId, synchronizerId: settings.synchronizerId };
  const pins =
    pinned.participant === null
      ? ((await store.pinParticipant(pinned.generation, mine)) ?? (await store.pinned()))
      : pinned;
  if (pins?.participant == null) return unverified('pins', 'another instance is pinning the participant');
  for (const key of ['id', 'userId', 'synchronizerId'] as const) {
    if (pins.participant[key] !== mine[key]) {
      return unverified(
        'participant',
        `${LABEL[key]} is ${mine[key]}, but this database is pinned to ${pins.participant[key]}`,
      );
    }
  }
  return pins;
}

/**
 * The pinned row, once the database is the one that was pinned. Another timeline (a failover, a restore) may lack what was
 * written last, so the first instance that sees it rechecks before anything is claimed (P20).
 */
async function rightDatabase(path: PathContext, latest: DbMillis): Promise<Pinned | Unverified> {
  const { settings, store, emit } = path;
  for (let tries = 0; tries < RECHECK_TRIES; tries++) {
    const pinned = await store.pinned();
    if (pinned === null)
      return unverified('schema', 'the database is not migrated: run `canton-submitter migrate`');
    const odd = disagreement(pinned, settings);
    if (odd !== null) return unverified('pins', odd);
    if (pinned.halted !== null) return unverified('pins', `halted: ${pinned.halted}`);
    if (sameDatabase(pinned)) return pinned;
    if (pinned.databaseNow === null)
      return unverified('pins', "the database's timeline is pinned, but this role may no longer read it");
    const oneStepTokens = [...settings.tokens].flatMap(([address, { steps }]) =>
      steps === 1 ? [address] : [],
    );
    const result = await store.recheck({ generation: pinned.generation, notBefore: latest, oneStepTokens });
    if (result === null) continue;
    const what = `the database is ${named(pinned.databaseNow)}, and was ${named(pinned.database)} (a failover, a restore, or a copy): ${result.rows} pending rows are looked up on the ledger before anything is sent for them`;
    emit({ kind: 'alarm', what, txHash: null });
  }
  return unverified('pins', 'another instance is rechecking');
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
  // It decides whether a second transfer is paid, so where it is set it must agree.
  if (mine.sameNonce !== null && pinned.sameNonce !== mine.sameNonce) {
    return `SAME_NONCE is ${mine.sameNonce} here and ${pinned.sameNonce} in the database: \`migrate --same-nonce\` pins it for all`;
  }
  return null;
}

export const unverified = (part: NotReady['part'], reason: string): Unverified => ({
  kind: 'unverified',
  blocker: { part, reason },
});

const LABEL = {
  id: 'the participant',
  userId: 'CANTON_USER_ID',
  synchronizerId: 'CANTON_SYNCHRONIZER_ID',
} as const;

/** A wrong port or certificate authority shows in the connection's own words. */
function unreachable(version: Read<unknown>): string {
  const detail = version.kind === 'read' ? '' : withoutTimes(version.refusal.detail);
  return `the participant cannot be reached${detail === '' ? '' : `: ${detail}`}`;
}

const said = (read: Exclude<Read<unknown>, { kind: 'read' }>): string =>
  `${read.refusal.errorId}: ${read.refusal.detail}`;
