import { readFileSync } from 'node:fs';
import test from 'ava';
import { tableInDocs, tables } from '../../scripts/docs-advice.js';
import {
  codeOf,
  endOf,
  endOfAll,
  failedAdvice,
  failedAdviceFor,
  parkedAdvice,
  parkedAdviceFor,
} from '../../src/core/advice.js';
import { failureCodes } from '../../src/transfer/messages.js';

const parked = (reason: string, more: { undecided?: boolean; elsewhere?: boolean } = {}) =>
  parkedAdviceFor({ reason, undecided: false, elsewhere: false, ...more });

test('docs/operations.md has the advice that the page gives: npx tsx scripts/docs-advice.ts writes it', (t) => {
  for (const [name, table] of Object.entries(tables)) t.is(tableInDocs(name), table());
  const headings = readFileSync(new URL('../../docs/runbooks.md', import.meta.url), 'utf8');
  const anchors = [...headings.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/ /g, '-'),
  );
  for (const { runbook } of parkedAdvice) if (runbook !== undefined) t.true(anchors.includes(runbook.anchor));
});

test('a reason leads to the advice for its code, and any other to advice for all', (t) => {
  t.is(codeOf('BALANCE_HELD: 3 of 5 are locked'), 'BALANCE_HELD');
  t.is(codeOf('nobody knows'), null);
  t.regex(parked('UNKNOWN_TOKEN: 0xAB').toDo, /TOKENS_FILE/);
  t.regex(parked('SOME_ERROR_ID: said the ledger').toDo, /MAX_ATTEMPTS/);
  t.regex(parked('INTERNAL: x is not a function (after 20 attempts)').toDo, /fault of our own/);
  t.regex(failedAdviceFor('INSUFFICIENT_BALANCE: has 3, needs 5').toDo, /new transaction/);
  t.regex(failedAdviceFor('').toDo, /correct one/);
});

test('nobody is told to replay a row where that is refused, in vain or dangerous', (t) => {
  const inVain = [
    'UNDECIDED',
    'PRUNED',
    'REPINNED',
    'ANOTHER_PARTICIPANT',
    'FOREIGN_ACCEPTANCE',
    'LOST_DUPLICATE',
  ];
  for (const code of [...inVain, 'SAME_NONCE', 'TAMPERED', 'NOT_MOVED']) {
    const { end } = parked(`${code}: why`);
    t.notRegex(`${endOf(end, '0x1')} ${endOfAll(end, `${code}: why`)}`, /replay --(hash|parked)/, code);
  }
  for (const code of inVain) {
    const { end } = parked(`${code}: why`);
    t.regex(
      endOf(end, '0x1') ?? '',
      /replay --completed 0x1 --update ID`.*never made.*replay --force-new --hash 0x1`/,
    );
  }
  t.is(endOf(parked('NOT_MOVED: update u').end, '0x1'), '`canton-submitter fail 0x1 --reason TEXT`');
  t.is(endOf(parked('TAMPERED: amount').end, '0x1'), null);
  t.regex(
    endOf(parked('SAME_NONCE: nonce 7').end, '0x1') ?? '',
    /--force-new --hash 0x1`.*`canton-submitter fail 0x1 --reason/,
  );
  t.is(endOf(parked('DEAD: no answer').end, '0x1'), '`canton-submitter replay --hash 0x1`');
  t.is(
    endOfAll(parked('DEAD: no answer').end, 'DEAD: no answer'),
    "`canton-submitter replay --parked --error 'DEAD:'`",
  );

  // A replay is refused for what was sent on another participant, whatever the row parked for before.
  t.is(parked('BALANCE_HELD: locked', { undecided: true, elsewhere: true }).end, 'by-hand');
  t.is(parked('BALANCE_HELD: locked', { undecided: true }).end, 'replay');
  // After a failover it may have been sent: nobody is told to send it again before a look has told.
  t.is(parked('SAME_NONCE: nonce 7', { undecided: true }).end, 'replay');
  t.is(parked('TAMPERED: amount', { undecided: true }).end, 'nothing-yet');
});

test('codes have advice once, and what is advised about failed rows is a code that can fail one', (t) => {
  for (const list of [parkedAdvice, failedAdvice]) {
    const codes = list.flatMap((advice) => advice.codes);
    t.is(new Set(codes).size, codes.length);
  }
  // A person's word is none of the codes that an instance fails a row with.
  const known = new Set<string>([...failureCodes, 'FAILED_BY_HAND', '(other)']);
  t.deepEqual(
    failedAdvice.flatMap(({ codes }) => codes).filter((code) => !known.has(code)),
    [],
  );
});
