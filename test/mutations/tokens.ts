// Tokens of other issuers, and reads that end early, taken out piece by piece.
import type { Mutation } from './mutation.js';

const context = 'src/ledger/registry-context.ts';
const answer = 'test/ledger/registry-message.test.ts';

export const tokens: readonly Mutation[] = [
  {
    name: 'cut off',
    file: 'src/path/submit.ts',
    find: '  if (!signal.aborted || !CUT_OFF.has(errorId)) return null;\n',
    put: '  if (signal !== null || errorId !== null) return null;\n',
    test: 'test/history/cut-off.test.ts',
    match: 'a stop while*',
    what: 'a read that a stop ends counts nothing',
  },
  {
    name: 'context',
    file: context,
    find: 'startsWith(seconds) ? ms : null',
    put: 'startsWith(seconds) ? ms : ms',
    test: answer,
    match: 'an answer that is not understood*',
    what: 'a day that is none is no other day',
  },
  {
    name: 'context',
    file: context,
    find: "case 'AV_RelTime': {",
    put: "case '': {",
    test: 'test/history/registry.test.ts',
    match: 'a choice context goes*',
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
];
