import type { DbMillis } from '../../core/ids.js';
import { lasting } from '../../core/words.js';
import {
  type ApiVersion,
  type CallOptions,
  isClosed,
  type Read,
  type ReadFailure,
} from '../../ports/ledger.js';
import type { DatabaseIdentity, Pinned } from '../../ports/store.js';
import { lookPatienceMs } from '../../protocol/look.js';
import { PROTOCOL } from '../../protocol/version.js';
import type { PathContext } from '../given/context.js';
import type { Disagreement, Unready, Verified } from '../given/participant.js';
import { showsMark } from './proving.js';

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
  if (!ledger.ready()) return unverified({ kind: 'unreachable', detail: reached(version) });
  const speaks = generationOf(version);
  if (speaks.kind === 'unverified') return speaks;
  const user = await ledger.userId(options);
  if (user.kind !== 'read') return unread('user', user);
  const asked = await ledger.participantId(options);
  const mayAskId = asked.kind === 'read';
  if (asked.kind !== 'read' && !isClosed(asked)) return unread('id', asked);
  const id = asked.kind === 'read' ? asked.value : settings.participantId;
  if (id === null) return unverified({ kind: 'id-unknown' });
  if (settings.participantId !== null && id !== settings.participantId)
    return unverified({ kind: 'not-as-configured', id, configured: settings.participantId });
  const end = await ledger.ledgerEnd(options);
  if (end.kind !== 'read') return unread('end', end);

  const pins = await agreedPins(path, pinned, { id, userId: user.value });
  if ('kind' in pins) return pins;
  if (pins.ledgerEnd !== null && end.value < pins.ledgerEnd)
    return unverified({ kind: 'ends-earlier', end: end.value, pinned: pins.ledgerEnd });
  const shown = pins.mark === null ? 'shown' : await showsMark(ledger, pins, options);
  if (shown === 'missed')
    return unverified({ kind: 'update-missing', updateId: pins.mark?.updateId ?? '', id });
  // Without a mark the id has to be the same before and after what was read: the connection may have moved (P27).
  if (mayAskId && (pins.mark === null || shown === 'unsure')) {
    const still = await ledger.participantId(options);
    if (still.kind !== 'read' || still.value !== id) return unverified({ kind: 'moved-meanwhile' });
  }
  return {
    kind: 'verified',
    pinned: pins,
    participantId: id,
    mayAskId,
    looksUpHashes: speaks.minor !== null && speaks.minor >= 6,
    tellsReassignments: speaks.minor !== null && speaks.minor < 7,
    patienceMs: settings.lookPatienceMs ?? lookPatienceMs(speaks.checkpointDelayMs),
    end: end.value,
  };
}

interface Generation {
  readonly kind: 'generation';
  /** Null: not told, so nothing is relied on that not every version has. */
  readonly minor: number | null;
  readonly checkpointDelayMs: number | null;
}

/** A gateway that does not let the version through keeps nobody from working: what it tells has safe substitutes. */
function generationOf(version: Read<ApiVersion>): Generation | Unverified {
  if (version.kind !== 'read')
    return isClosed(version)
      ? { kind: 'generation', minor: null, checkpointDelayMs: null }
      : unread('version', version);
  const { version: said, checkpointDelayMs } = version.value;
  const minor = /^3\.(\d+)/.exec(said)?.[1];
  if (minor === undefined) return unverified({ kind: 'api-version', version: said });
  return { kind: 'generation', minor: Number(minor), checkpointDelayMs };
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
  if (pins?.participant == null) return unverified({ kind: 'being-pinned' });
  for (const key of ['id', 'userId', 'synchronizerId'] as const) {
    if (pins.participant[key] !== mine[key])
      return unverified({ kind: 'pinned-otherwise', key, mine: mine[key], pinned: pins.participant[key] });
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
    if (pinned === null) return unverified({ kind: 'not-migrated' });
    const odd = disagreement(pinned, settings);
    if (odd !== null) return unverified(odd);
    if (pinned.halted !== null) return unverified({ kind: 'halted-before', reason: pinned.halted });
    if (sameDatabase(pinned)) {
      // After a recheck too: a table that was replaced by a copy has no triggers.
      const what = await store.missing(pinned);
      return what.length > 0 ? unverified({ kind: 'missing', what }) : pinned;
    }
    if (pinned.answeringDatabase === null) return unverified({ kind: 'identity-hidden' });
    const oneStepTokens = [...settings.tokens].flatMap(([address, { steps }]) =>
      steps === 1 ? [address] : [],
    );
    const result = await store.recheck({ generation: pinned.generation, notBefore: latest, oneStepTokens });
    if (result === null) continue;
    const what = `the database changed from ${named(pinned.database)} to ${named(pinned.answeringDatabase)} (a failover, a restore, or a copy): ${result.rows} pending rows are looked up on the ledger before anything is sent for them`;
    emit({ kind: 'alarm', what, txHash: null });
  }
  return unverified({ kind: 'rechecking' });
}

const RECHECK_TRIES = 3;

const IDENTITY = ['systemId', 'timeline', 'database', 'table'] as const;

const named = (identity: DatabaseIdentity | null): string =>
  IDENTITY.map((part) => identity?.[part] ?? '').join('/');

const sameDatabase = ({ database, answeringDatabase }: Pinned): boolean =>
  database === null || IDENTITY.every((part) => database[part] === answeringDatabase?.[part]);

/** Where a setting here contradicts the pinned row: the first that does. */
export function disagreement(
  pinned: Pinned,
  mine: { readonly lanes: string; readonly toleranceMs: number; readonly sameNonce: string | null },
): Disagreement | null {
  const compared = [
    ['PROTOCOL', PROTOCOL, pinned.protocol],
    ['LANES', mine.lanes, pinned.lanes],
    ['LEDGER_TIME_TOLERANCE_MS', mine.toleranceMs, pinned.toleranceMs],
    // It decides whether a second transfer is paid, so where it is set it must agree.
    ['SAME_NONCE', mine.sameNonce ?? pinned.sameNonce, pinned.sameNonce],
  ] as const;
  const odd = compared.find(([, here, there]) => here !== there);
  return odd === undefined ? null : { kind: 'disagreement', about: odd[0], mine: odd[1], pinned: odd[2] };
}

/** The check found a difference, or could not be made: this instance claims nothing. */
export interface Unverified {
  readonly kind: 'unverified';
  readonly why: Unready;
}

export const unverified = (why: Unready): Unverified => ({ kind: 'unverified', why });

type Question = Extract<Unready, { kind: 'unread' }>['what'];

const unread = (what: Question, { refusal: { errorId, detail } }: ReadFailure): Unverified =>
  unverified({ kind: 'unread', what, refusal: { errorId, detail: lasting(detail) } });

/** A wrong port or certificate authority shows in the connection's own words. */
const reached = (version: Read<unknown>): string =>
  version.kind === 'read' ? '' : lasting(version.refusal.detail);
