// What the checks say of what was read: pure, one table each.
import test from 'ava';
import { party } from '../../src/core/ids.js';
import type { Token } from '../../src/core/token.js';
import type { HoldingSamples } from '../../src/ledger/inspect-holdings.js';
import type { RegistryInstrument } from '../../src/ledger/registry-metadata.js';
import type { Read } from '../../src/ports/ledger.js';
import { clockFinding } from '../../src/preflight/clock.js';
import type { Facts, PreflightSettings } from '../../src/preflight/facts.js';
import { nearest } from '../../src/preflight/nearest.js';
import { participantFindings } from '../../src/preflight/participant.js';
import { tokenFindings } from '../../src/preflight/tokens.js';
import { checkpointsFinding, rightsFinding } from '../../src/preflight/users.js';

const SYNC = 'global-domain::1220aa';
const ISSUER = party('issuer::1220bb');
const OTHER = 'registrar::1220cc';
const token = (change: Partial<Token> = {}): Token => ({
  address: '0xde30000000000000000000000000000000000001',
  name: 'Demo',
  symbol: 'DEMO',
  decimals: 18,
  instrumentAdmin: ISSUER,
  instrumentId: 'DEMO',
  steps: 1,
  offerIsDone: false,
  ...change,
});
const settings = (change: Partial<PreflightSettings> = {}, one = token()): PreflightSettings => ({
  synchronizerId: SYNC,
  issuerParty: ISSUER,
  participantId: null,
  tokens: new Map([[one.address, one]]),
  ...change,
});
const read = <T>(value: T): Read<T> => ({ kind: 'read', value });
const failed = (errorId: string): Read<never> => ({
  kind: 'failed-read',
  pruned: false,
  refusal: { kind: 'try-again', blame: 'sender', errorId, detail: 'as a test wants it', retryAfterMs: null },
});
const seen = (
  ids: readonly string[],
  { admin = ISSUER as string, whole = true } = {},
): Read<HoldingSamples> =>
  read({
    samples: ids.map((instrumentId) => ({
      contractId: '00',
      owner: 'o',
      admin,
      instrumentId,
      locked: false,
    })),
    whole,
  });
const here = read([{ id: SYNC, alias: 'global' }]);
const facts = (change: Partial<Facts> = {}): Facts => ({
  version: read({ version: '3.5.1', checkpointDelayMs: 75_000 }),
  user: read('us'),
  participantId: read('p::1220'),
  end: read(7n),
  synchronizers: here,
  issuerOn: here,
  rights: read({ actAs: new Set<string>(), readAs: 'any' as const, executeAs: new Set<string>() }),
  factories: read(['00fa']),
  issued: seen(['DEMO']),
  held: seen([]),
  registries: new Map(),
  ...change,
});

const statusOf = (check: string, f: Partial<Facts>, s: Partial<PreflightSettings> = {}): string | undefined =>
  participantFindings(facts(f), settings(s)).find((one) => one.check === check)?.status;

test('what contradicts fails, what may pass waits, what may not be asked is skipped', (t) => {
  const nothing = read([]);
  const other = { id: 'elsewhere::1220', alias: 'e' };
  const elsewhere = read([other]);
  const closed = failed('GRPC_PERMISSION_DENIED');
  const away = failed('GRPC_UNAVAILABLE');
  for (const [check, status, f, s] of [
    ['version', 'ok', {}],
    ['version', 'fail', { version: read({ version: '2.9.1', checkpointDelayMs: null }) }],
    ['version', 'warn', { version: read({ version: '3.4.3', checkpointDelayMs: null }) }],
    ['participant id', 'fail', {}, { participantId: 'q::1220' }],
    ['participant id', 'fail', { participantId: closed }],
    ['participant id', 'skipped', { participantId: closed }, { participantId: 'q::1220' }],
    ['participant id', 'wait', { participantId: away }],
    ['user', 'fail', { user: failed('USER_UNKNOWN') }],
    ['user', 'wait', { user: failed('TOKEN_UNAVAILABLE') }],
    ['synchronizer', 'ok', {}],
    ['synchronizer', 'fail', { synchronizers: elsewhere }],
    ['synchronizer', 'wait', { synchronizers: nothing }],
    ['synchronizer', 'wait', { synchronizers: away }],
    ['synchronizer', 'skipped', { synchronizers: closed }],
    ['synchronizer', 'skipped', { synchronizers: failed('GRPC_UNIMPLEMENTED') }],
    ['issuer', 'fail', { issuerOn: nothing }],
    ['issuer', 'wait', { issuerOn: nothing, synchronizers: nothing }],
    ['issuer', 'fail', { issuerOn: failed('INVALID_FIELD') }],
    ['issuer', 'fail', { issuerOn: elsewhere, synchronizers: read([other, { id: SYNC, alias: 'g' }]) }],
    ['issuer', 'skipped', { issuerOn: closed }],
    ['issuer rights', 'wait', { factories: closed }],
    ['factory', 'fail', { factories: nothing }],
    ['factory', 'warn', { factories: read(['00fa', '00fb']) }],
    ['factory', 'fail', { factories: failed('PACKAGE_NAMES_NOT_FOUND') }],
    ['factory', 'wait', { factories: away }],
    ['factory', 'skipped', { factories: closed }],
  ] as [string, string, Partial<Facts>, Partial<PreflightSettings>?][]) {
    t.is(statusOf(check, f, s), status, `${check} ${JSON.stringify(Object.keys(f))}`);
  }
});

test('a synchronizer id: physical, an alias, mistyped, another: the right one is said where it can be told', (t) => {
  const todo = (synchronizerId: string): string | null | undefined =>
    participantFindings(facts(), settings({ synchronizerId })).find(({ check }) => check === 'synchronizer')
      ?.todo;
  const right = `set CANTON_SYNCHRONIZER_ID=${SYNC}`;
  t.is(todo(SYNC), null);
  t.is(todo(`${SYNC}::35-0`), right);
  t.is(todo('global'), right);
  t.is(todo('global-domian::1220aa'), right);
  t.is(todo('global-domain::1220ab'), right);
  t.is(todo('testnet::1220ffff'), 'set CANTON_SYNCHRONIZER_ID to the right one');
});

test('an instrument of the issuer: mistyped where others exist, new where none does, unsaid where not all was read', (t) => {
  const status = (issued: Facts['issued'], one = token()) =>
    tokenFindings(facts({ issued }), settings({}, one)).at(-1)?.status;
  t.is(status(seen(['DEMO', 'X'])), 'ok');
  t.is(status(seen(['X'])), 'fail');
  t.is(status(seen(['X'], { whole: false })), 'warn');
  t.is(status(seen([])), 'warn');
  t.is(status(seen(['DEMO'], { admin: OTHER })), 'warn', 'of somebody else it says nothing');
  t.is(status(failed('GRPC_PERMISSION_DENIED')), 'skipped');
  t.is(status(failed('GRPC_UNAVAILABLE')), 'wait');
  t.is(status(failed('PACKAGE_NAMES_NOT_FOUND')), 'fail');
  t.is(status(seen(['DEMO']), token({ instrumentAdmin: OTHER })), 'warn', 'nobody says who moves it');
});

test('an instrument of a registry: the registry decides, and where it is away or silent nobody is held up', (t) => {
  const one = token({ instrumentAdmin: OTHER, instrumentId: 'USDCx', decimals: 6, registryUrl: 'https://x' });
  const status = (instrument: Read<RegistryInstrument>, held = seen([])) =>
    tokenFindings(facts({ held, registries: new Map([[one.address, instrument]]) }), settings({}, one)).at(-1)
      ?.status;
  const known = { kind: 'known', symbol: 'USDCx', decimals: 6 } as const;
  t.is(status(read(known)), 'ok');
  t.is(status(read({ ...known, decimals: 8 })), 'warn');
  t.is(status(read({ kind: 'unknown' })), 'fail');
  t.is(status(read({ kind: 'unknown' }), seen(['USDCx'], { admin: OTHER })), 'warn');
  t.is(status(read({ kind: 'other-admin', admin: 'x::1220' })), 'fail');
  t.is(status(failed('REGISTRY_UNAVAILABLE')), 'warn');
  const silent = read({ kind: 'silent' } as const);
  t.is(status(silent), 'warn');
  t.is(status(silent, seen(['USDCx'], { admin: OTHER })), 'ok');
  t.is(status(silent, seen(['usdcx'], { admin: OTHER })), 'fail');
  t.is(status(silent, seen(['GOLD'], { admin: OTHER })), 'warn');
});

test('rights: actAs for a hosted sender, executeAs and readAs for an external one', (t) => {
  const users = [
    { address: '0x1', party: 'h::1', hosted: true },
    { address: '0x2', party: 'e::1', hosted: false },
  ];
  const none = { actAs: new Set<string>(), readAs: new Set<string>(), executeAs: new Set<string>() };
  const of = (rights: Parameters<typeof rightsFinding>[1]) => rightsFinding('us', rights, users, false);
  t.is(of(read({ ...none, actAs: new Set(['h::1', 'e::1']) })).status, 'ok');
  t.is(of(read({ actAs: new Set(['h::1']), readAs: 'any', executeAs: 'any' })).status, 'ok');
  t.is(
    of(read({ actAs: new Set(['h::1']), readAs: new Set(['e::1']), executeAs: new Set(['e::1']) })).status,
    'ok',
  );
  t.like(of(read({ ...none, actAs: new Set(['e::1']), executeAs: 'any' })), {
    status: 'fail',
    todo: 'grant CanActAs h::1',
  });
  t.is(of(read({ ...none, actAs: new Set(['h::1']), executeAs: 'any' })).status, 'fail', 'it cannot read');
  t.is(of(failed('USER_NOT_FOUND')).status, 'skipped');
  t.is(of(failed('GRPC_PERMISSION_DENIED')).status, 'skipped');
  t.is(of(failed('GRPC_UNAVAILABLE')).status, 'wait');
});

test('clocks: a clock that is asked is compared both ways, a record time only where it is ahead', (t) => {
  const at = (kind: 'now' | 'past', ms: number) =>
    clockFinding({ before: 1_000_000, after: 1_000_100, told: { kind, at: ms }, skewMaxMs: 60_000 }).status;
  t.is(at('now', 1_000_050), 'ok');
  t.is(at('now', 1_006_000), 'warn');
  t.is(at('now', 994_000), 'warn');
  t.is(at('now', 1_031_000), 'fail');
  t.is(at('now', 960_000), 'fail');
  t.is(at('past', 1_031_000), 'fail');
  t.is(at('past', 0), 'ok', 'a quiet synchronizer');
  t.is(clockFinding({ before: 0, after: 1, told: null, skewMaxMs: 1 }).status, 'skipped');
  t.is(checkpointsFinding(75_000, 60_000).status, 'warn');
  t.is(checkpointsFinding(75_000, null).status, 'ok');
});

test('of several names the one that is spelled nearly like it is found, or none', (t) => {
  t.is(nearest('demo', ['DEMO', 'PROMPT']), 'DEMO');
  t.is(nearest('PROMT', ['DEMO', 'PROMPT']), 'PROMPT');
  t.is(nearest('GOLD', ['DEMO', 'PROMPT']), null);
});
