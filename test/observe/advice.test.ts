import { readFileSync } from 'node:fs';
import test from 'ava';
import { adviceTable, tableInDocs } from '../../scripts/docs-advice.js';
import { adviceFor, codeOf, failedAdvice, parkedAdvice } from '../../src/observe/advice.js';
import { failureCodes } from '../../src/transfer/messages.js';

test('docs/operations.md has the advice that the page gives: npx tsx scripts/docs-advice.ts writes it', (t) => {
  t.is(tableInDocs(), adviceTable());
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
  t.regex(adviceFor('parked', 'UNKNOWN_TOKEN: 0xAB').toDo, /TOKENS_FILE/);
  t.regex(adviceFor('parked', 'SOME_ERROR_ID: said the ledger').toDo, /MAX_ATTEMPTS/);
  t.regex(adviceFor('failed', 'INSUFFICIENT_BALANCE: has 3, needs 5').toDo, /new transaction/);
  t.regex(adviceFor('failed', '').toDo, /correct one/);
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
