// The ledger user that this process submits as: part of every change id, so one for the life of the process.
import type { CallOptions, Read, ReadFailure } from '../ports/ledger.js';
import { type TokenSource, tokenSubject } from './auth.js';
import { authorize } from './authorize.js';
import { localFailure } from './call.js';

export interface LedgerUser {
  /** Null until it was asked for: before that nothing may be sent, and no completion can be read. */
  known(): string | null;
  ask(options: CallOptions): Promise<Read<string>>;
}

/** `configured`: null where the token is to say it. */
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
      if (subject === null) return userUnknown('the token names no subject: set CANTON_USER_ID');
      user ??= subject;
      // What was sent was sent as the first one; the participant refuses it from anybody else's token.
      return user === subject
        ? { kind: 'read', value: user }
        : userUnknown(`the token is ${subject}'s now, and this process began as ${user}: restart it`);
    },
  };
}

export const userUnknown = (detail: string): ReadFailure => localFailure('USER_UNKNOWN', detail, true);
