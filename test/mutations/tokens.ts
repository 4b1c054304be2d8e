// Tokens of other issuers, and reads that end early, taken out piece by piece.
import { entries, type Mutation } from './mutation.js';

const context = 'src/ledger/registry-context.ts';
const answer = 'test/ledger/registry-message.test.ts';
const held = 'test/history/holdings.test.ts';
const inLedger = entries('registry', 'src/ledger/');
const registries = inLedger('test/ledger/registry-place.test.ts');
const refusals = inLedger('test/ledger/registry.test.ts');
const waits = inLedger('test/ledger/status.test.ts');

export const tokens: readonly Mutation[] = [
  {
    name: 'cut off',
    file: 'src/path/judge.ts',
    find: 'if (signal.aborted && CUT_OFF.has(refusal.errorId))',
    put: 'if (signal.aborted && Date.now() < 0)',
    test: 'test/history/cut-off.test.ts',
    match: 'a stop while*',
    what: 'a read that a stop ends does not count',
  },
  {
    name: 'context',
    file: context,
    find: 'startsWith(seconds) ? ms : null',
    put: 'startsWith(seconds) ? ms : ms',
    test: answer,
    match: 'an answer that is not understood*',
    what: 'a day that does not exist is not read as another',
  },
  {
    name: 'context',
    file: context,
    find: "case 'AV_RelTime': {",
    put: "case 'AV_Time' as 'AV_RelTime': {",
    test: answer,
    match: 'the factory, its context*',
    what: 'a choice context may hold a span',
  },
  {
    name: 'context',
    file: 'src/transfer/inspect/shape.ts',
    find: "return unlike(path, textOf(as(value, 'date')), String(shape.is));",
    put: 'return null;',
    test: 'test/transfer/inspect-registry.test.ts',
    match: 'a context is compared*',
    what: 'the date in a context that is signed',
  },
  {
    name: 'inputs',
    file: 'src/transfer/inspect/tree.ts',
    find: 'NODES_AT_ALL + inputs * NODES_AN_INPUT',
    put: 'NODES_AT_ALL + inputs * 0',
    test: 'test/transfer/inspect.test.ts',
    match: 'however many inputs*',
    what: 'that nodes are bounded by what was asked for alone',
  },
  {
    name: 'foreign',
    file: 'src/transfer/inspect/layouts.ts',
    find: "template: 'Splice.Amulet:LockedAmulet',",
    put: "template: 'Splice.Amulet:NoAmulet',",
    test: held,
    match: 'a holding whose lock has ended is spent*Amulet (external)',
    what: 'an amulet that was locked is read where it is spent',
  },
  {
    name: 'foreign',
    file: 'src/transfer/holdings.ts',
    find: '[...free, ...ended.sort(byAmountThenId)]',
    put: '[...ended.sort(byAmountThenId), ...free]',
    test: held,
    match: 'what was locked until lately*',
    what: 'what was locked until lately is spent last',
  },
  {
    name: 'foreign',
    file: 'src/transfer/inspect/layouts.ts',
    find: 'if (described === undefined) return REGISTRIES;',
    put: 'if (described === undefined || Date.now() > 0) return REGISTRIES;',
    test: held,
    match: 'a holding of a template that nobody*(external)',
    what: 'a foreign template is read as TOKENS_FILE describes it',
  },
  {
    name: 'foreign',
    file: 'src/transfer/inspect/registry.ts',
    find: 'const covers = fee === null ? locked === amount : locked >= amount;',
    put: 'const covers = locked === 0n;',
    test: 'test/history/registry.test.ts',
    match: 'an offer of USDCx*(external)',
    what: 'what is offered is locked with its sender',
  },
  registries(
    'registry-http.ts',
    'new Set([answered, ...roots])',
    '[answered]',
    'a registry that has moved*',
    'the other root where the known one says 404',
  ),
  refusals(
    'registry-http.ts',
    'refusedWith(response, await wordsOf(response));',
    "refusedWith(response, '');",
    "a refusal tells the registry's own words*",
    "a registry's words in its refusal",
  ),
  refusals(
    'registry-http.ts',
    'withoutControls(said)',
    'said',
    "a refusal tells the registry's own words*",
    'the end of control characters in what a registry says',
  ),
  refusals(
    'registry-http.ts',
    'textUpTo(REFUSAL_MAX_BYTES, response)',
    'response.text()',
    "a refusal tells the registry's own words*",
    'the most that is read of a refusal',
  ),
  refusals(
    'registry-http.ts',
    'Math.min(Number(after), RETRY_MAX_S)',
    'Number(after)',
    'a registry says for ten minutes at most*',
    'the longest wait that a registry may ask for',
  ),
  waits(
    'status.ts',
    'Math.min(ms, RETRY_MAX_MS)',
    'ms',
    'a wait that makes no sense*',
    'the longest wait that the ledger may ask for',
  ),
];
