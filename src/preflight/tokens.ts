// Checks whether each token in TOKENS_FILE is a known instrument. A mistyped instrument reads as a balance of 0 and
// would fail every row of it, but one that is merely new must not be refused. So a contradiction fails (the registry
// has no such id; all of the admin's holdings have other ids), while an instrument that nobody has seen yet is only
// mentioned. Pure.
import { DECIMAL_PLACES } from '../core/decimal.js';
import type { Token } from '../core/token.js';
import type { HoldingSamples } from '../ledger/inspect-holdings.js';
import type { RegistryInstrument } from '../ledger/registry-metadata.js';
import { isClosed, type Read } from '../ports/ledger.js';
import type { Facts, PreflightSettings } from './facts.js';
import { type Finding, fail, ok, skipped, unread, warn } from './finding.js';
import { nearest } from './nearest.js';

export function tokenFindings(facts: Facts, { issuerParty, tokens }: PreflightSettings): Finding[] {
  if (tokens.size === 0)
    return [warn('tokens', 'TOKENS_FILE contains none', 'every row would park: add your tokens')];
  const packages = packagesFinding(facts);
  const each = [...tokens].flatMap(([address, token]): Finding[] => {
    if (token.registryUrl !== undefined) return [ofRegistry(token, facts, facts.registries.get(address))];
    if (token.instrumentAdmin !== issuerParty) return [withoutRegistry(token)];
    return [ofIssuer(token, facts.issued)];
  });
  return [packages, ...each];
}

const nameOf = ({ symbol, address }: Token): string => `token ${symbol} ${address}`;
const named = ({ instrumentId, instrumentAdmin }: Token): string => `${instrumentId} of ${instrumentAdmin}`;

function packagesFinding({ issued, held }: Facts): Finding {
  const read = issued.kind === 'failed-read' && isClosed(issued) ? held : issued;
  return read.kind === 'read'
    ? ok('holding package', 'holdings are read through the interface')
    : unread('holding package', read, { what: 'holdings', todo: 'correct HOLDING_PACKAGE' });
}

const withoutRegistry = (token: Token): Finding =>
  warn(
    nameOf(token),
    `its admin ${token.instrumentAdmin} is not the issuer, and it has no registryUrl to say who moves it: its rows park`,
    'add its "registryUrl" to TOKENS_FILE, or correct "instrumentAdmin"',
  );

function ofIssuer(token: Token, issued: Facts['issued']): Finding {
  const check = nameOf(token);
  if (issued.kind === 'failed-read') {
    return isClosed(issued)
      ? skipped(check, 'holdings may not be read', 'check its rights')
      : unread(check, issued, { what: 'holdings', todo: 'correct HOLDING_PACKAGE' });
  }
  const sight = sightOf(token, issued.value);
  if (sight.kind === 'seen') return ok(check, `holdings of ${named(token)} exist${placesOf(token)}`);
  if (sight.kind === 'others' && issued.value.whole) return mistyped(token, sight.ids);
  return warn(
    check,
    issued.value.whole
      ? `no holding of ${named(token)} exists yet`
      : `none of the first holdings is of ${named(token)}`,
    'check "instrumentId" in TOKENS_FILE: transfers of a mistyped one find no balance',
  );
}

function ofRegistry(
  token: Token,
  { issued, held }: Facts,
  read: Read<RegistryInstrument> | undefined,
): Finding {
  const check = nameOf(token);
  const sight = bestSight(token, [held, issued]);
  if (read === undefined || read.kind === 'failed-read') {
    const why = read === undefined ? 'not asked' : read.refusal.detail;
    return warn(
      check,
      `its registry does not answer: ${why}`,
      'check "registryUrl" in TOKENS_FILE: its rows wait for the registry',
    );
  }
  switch (read.value.kind) {
    case 'known':
      return ofDecimals(token, read.value.decimals);
    case 'other-admin':
      return fail(
        check,
        `its registry belongs to ${read.value.admin}, not to ${token.instrumentAdmin}`,
        'correct "instrumentAdmin" or "registryUrl" in TOKENS_FILE',
      );
    case 'unknown':
      return sight.kind === 'seen'
        ? warn(
            check,
            `its registry does not know ${token.instrumentId}, although there are holdings of it`,
            "ask the registry's operator",
          )
        : fail(
            check,
            `its registry does not know the instrument ${token.instrumentId}${hint(token, sight)}`,
            'correct "instrumentId" in TOKENS_FILE',
          );
    case 'silent':
      if (sight.kind === 'seen') return ok(check, `holdings of ${named(token)} exist${placesOf(token)}`);
      // Only some of the users were looked at, so another id contradicts only if it resembles this one.
      if (sight.kind === 'others' && nearest(token.instrumentId, sight.ids) !== null)
        return mistyped(token, sight.ids);
      return warn(
        check,
        `its registry has no metadata, and no holding of ${named(token)} was found`,
        'check "instrumentId" in TOKENS_FILE',
      );
  }
}

function mistyped(token: Token, ids: readonly string[]): Finding {
  return fail(
    nameOf(token),
    `no holding is of ${named(token)}; that admin's are of ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ' …' : ''}`,
    `correct "instrumentId" in TOKENS_FILE${hint(token, { kind: 'others', ids })}`,
  );
}

/** A wallet's amounts are divided by the decimals in TOKENS_FILE; the registry's only say how to show an amount. */
function ofDecimals(token: Token, shown: number): Finding {
  const check = nameOf(token);
  const what = `its registry knows ${named(token)}`;
  return token.decimals === shown || (token.decimals > DECIMAL_PLACES && shown === DECIMAL_PLACES)
    ? ok(check, `${what}${placesOf(token)}`)
    : warn(
        check,
        `${what} with ${shown} decimals, but TOKENS_FILE says ${token.decimals}`,
        "compare with the facade's decimals(), by which a wallet's amounts are divided",
      );
}

const placesOf = ({ decimals }: Token): string =>
  decimals > DECIMAL_PLACES
    ? `; the ledger keeps ${DECIMAL_PLACES} of its ${decimals} decimals, and finer amounts are refused`
    : '';

type Sight =
  | { readonly kind: 'seen' }
  /** That admin has holdings with other ids. */
  | { readonly kind: 'others'; readonly ids: readonly string[] }
  | { readonly kind: 'nothing' };

function sightOf({ instrumentAdmin, instrumentId }: Token, { samples }: HoldingSamples): Sight {
  const ids = [
    ...new Set(samples.flatMap((one) => (one.admin === instrumentAdmin ? [one.instrumentId] : []))),
  ].sort();
  if (ids.includes(instrumentId)) return { kind: 'seen' };
  return ids.length === 0 ? { kind: 'nothing' } : { kind: 'others', ids };
}

function bestSight(token: Token, reads: readonly Read<HoldingSamples>[]): Sight {
  const sights = reads.flatMap((read) => (read.kind === 'read' ? [sightOf(token, read.value)] : []));
  return (
    sights.find(({ kind }) => kind === 'seen') ??
    sights.find(({ kind }) => kind === 'others') ?? { kind: 'nothing' }
  );
}

function hint({ instrumentId }: Token, sight: Sight): string {
  const meant = sight.kind === 'others' ? nearest(instrumentId, sight.ids) : null;
  return meant === null ? '' : ` (${meant}?)`;
}
