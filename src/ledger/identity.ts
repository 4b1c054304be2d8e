// Who the participant is, what it runs, and which user we are to it.
import {
  GetParticipantIdRequest,
  UnimplementedPartyManagementServiceService,
} from '#proto/com/daml/ledger/api/v2/admin/party_management_service.js';
import {
  GetLedgerApiVersionRequest,
  UnimplementedVersionServiceService,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import {
  type ApiVersion,
  type CallOptions,
  localFailure,
  type Read,
  type ReadFailure,
} from '../ports/ledger.js';
import { authorize, type TokenSource, tokenSubject } from './auth.js';
import { readFailure, unary, unreadable, type Wire } from './call.js';

const { GetParticipantId } = UnimplementedPartyManagementServiceService.definition;
const { GetLedgerApiVersion } = UnimplementedVersionServiceService.definition;

/** Before 3.6 only a participant administrator's token may ask, so expect PERMISSION_DENIED. */
export async function participantId(wire: Wire, options: CallOptions): Promise<Read<string>> {
  const called = await unary(wire, GetParticipantId, new GetParticipantIdRequest(), options);
  if (called.kind !== 'answer') return readFailure(called);
  const value = called.value.participantId;
  return value === '' ? unreadable('a participant without an id') : { kind: 'read', value };
}

export async function version(wire: Wire, options: CallOptions): Promise<Read<ApiVersion>> {
  const called = await unary(wire, GetLedgerApiVersion, new GetLedgerApiVersionRequest(), options);
  if (called.kind !== 'answer') return readFailure(called);
  const delay = called.value.features?.offsetCheckpoint?.maxOffsetCheckpointEmissionDelay;
  const checkpointDelayMs = delay === undefined ? null : delay.seconds * 1000 + Math.ceil(delay.nanos / 1e6);
  return { kind: 'read', value: { version: called.value.version, checkpointDelayMs } };
}

/**
 * The user that this process submits as. Part of every change id, so it stays the same for the life of the process.
 */
export interface LedgerUser {
  /** Null until it has been asked for; before that nothing may be sent, and no completion can be read. */
  known(): string | null;
  ask(options: CallOptions): Promise<Read<string>>;
}

/** `configured`: null if the token decides. */
export function ledgerUser(configured: string | null, tokens: TokenSource): LedgerUser {
  let user = configured;
  return {
    known: () => user,
    async ask(options) {
      if (configured !== null) return { kind: 'read', value: configured };
      const authorized = await authorize(tokens, options);
      if (authorized.kind === 'unauthorized') {
        const { errorId, detail } = authorized;
        return localFailure(errorId, detail, errorId === 'TOKEN_UNAVAILABLE');
      }
      const subject = authorized.token === null ? null : tokenSubject(authorized.token);
      if (subject === null) return userUnknown('the token has no subject: set CANTON_USER_ID');
      user ??= subject;
      // Everything so far was sent as the first user, and the participant refuses another user's token for that one.
      return user === subject
        ? { kind: 'read', value: user }
        : userUnknown(`the token is now for ${subject}, but this process started as ${user}: restart it`);
    },
  };
}

export const userUnknown = (detail: string): ReadFailure => localFailure('USER_UNKNOWN', detail, true);
