// docs/fleet.md, "Why a row waits", knows the reasons that the code gives.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { failedAdvice, parkedAdvice } from '../../src/core/advice.js';
import { failureCodes } from '../../src/transfer/messages.js';
import { ROOT } from '../support/docs.js';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Where rows get their reasons. */
const SOURCES = ['src/path', 'src/protocol', 'src/transfer', 'src/ledger', 'src/store/operator'].flatMap(
  (folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(folder, file)),
);
const COMMENT = /^\s*(?:\/\*|\*|\/\/).*$/gm;
const CODE =
  /['"`]([A-Z]+_[A-Z_]+|[A-Z]{4,}): |(?:localFailure|refused|registryFailure)\(\s*'([A-Z_]+)'|errorId: '([A-Z_]+)'/g;

/** Parts of another reason, alarms, and names of settings. */
const NO_REASONS = new Set([
  'CALL_ABORTED', // NOT_SENT
  'CANTON_OAUTH_TOKEN_URL',
  'FOREIGN_SUBMISSION', // an alarm
  'HOLDINGS_MANY', // read again, one party at a time
  'MALFORMED', // an alarm
  'STREAM_ENDED', // UNDECIDED
]);

test('each reason of a row is in docs/fleet.md or has advice, and the docs have no others', (t) => {
  const given = new Set(
    [...SOURCES, 'protocol.sql'].flatMap((file) =>
      [...read(file).replaceAll(COMMENT, '').matchAll(CODE)].map(
        ([, ...codes]) => codes.find((code) => code !== undefined) ?? '',
      ),
    ),
  );
  t.true(given.size > 30);
  const [, section = ''] = /^## Why a row waits\n([\s\S]*?)^## /m.exec(read('docs/fleet.md')) ?? [];
  const rows = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, reasons = '']) => reasons);
  const after = section.slice(section.lastIndexOf('|'));
  const documented = [...rows, after.replaceAll(/\([^)]*\)/g, '')].flatMap((text) =>
    [...text.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code),
  );
  t.is(new Set(documented).size, documented.length);
  t.deepEqual(
    documented.filter((code) => !given.has(code)),
    [],
  );
  const advised = [...parkedAdvice, ...failedAdvice].flatMap(({ codes }) => codes);
  const known = new Set<string>([...documented, ...advised, ...failureCodes, ...NO_REASONS]);
  t.deepEqual(
    [...given].filter((code) => !known.has(code)),
    [],
    'add it to docs/fleet.md, "Why a row waits"',
  );
});
