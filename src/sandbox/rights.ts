// What the token's user may do, as in the Ledger API's user management: checked on every call, and listed by
// ListUserRights. By default the user may act as every existing party, and read as any.
import { z } from 'zod';
import type { LedgerError } from './errors.js';

const parties = z.union([z.literal('any'), z.array(z.string())]);

export const rightsSchema = z.strictObject({
  /** CanActAs; `any`: for every party that exists now. It implies the two below. */
  actAs: parties.default('any'),
  /** CanReadAs; `any` is CanReadAsAnyParty. */
  readAs: parties.default('any'),
  /** CanExecuteAs: prepares and executes, reads nothing. */
  executeAs: parties.default([]),
});

export type Rights = z.infer<typeof rightsSchema>;
export type RightsOptions = z.input<typeof rightsSchema>;
export const allRights: Rights = rightsSchema.parse({});

type Doing = 'act' | 'execute' | 'prepare' | 'read';

/**
 * Undefined if the user may do it for all of these parties. A request about any party needs a right for any party.
 */
export function forbidden(
  rights: Rights,
  doing: Doing,
  asked: readonly string[],
  anyParty = false,
): LedgerError | undefined {
  const { actAs, readAs, executeAs } = rights;
  const enough: Readonly<Record<Doing, readonly Rights['actAs'][]>> = {
    act: [actAs],
    execute: [actAs, executeAs],
    // Reading is enough to prepare: `InteractiveSubmissionServiceAuthorization`.
    prepare: [actAs, executeAs, readAs],
    read: [actAs, readAs],
  };
  const may = (party: string) =>
    enough[doing].some((granted) => granted === 'any' || granted.includes(party));
  const refused = asked.filter((party) => !may(party));
  if (anyParty && readAs !== 'any') return denied('Claims do not authorize to read data for all parties');
  return refused.length === 0
    ? undefined
    : denied(`Claims do not authorize to ${doing} as party ${refused.join(', ')}`);
}

const denied = (cause: string): LedgerError => ({ id: 'PERMISSION_DENIED', cause });

/** A token's audience: its `aud`, a string or a list of them. Null if it is not a JWT, or has none. */
export function audienceOf(token: string): string | null {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { aud } = payload as { readonly aud?: unknown };
    const first: unknown = Array.isArray(aud) ? aud[0] : aud;
    return typeof first === 'string' && first !== '' ? first : null;
  } catch {
    return null;
  }
}
