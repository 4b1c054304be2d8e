// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// What is asked before the first pin and by `doctor`, and the sandbox's strictness that both are tried against.
import type { Mutation } from './mutation.js';

const FIRST = 'test/process/first-start.test.ts';
const REFUSES = 'the first run refuses*';
const WAITS = 'a synchronizer that is not connected yet*';
const FINDINGS = 'test/preflight/findings.test.ts';
const STRICT = 'test/sandbox/strict.test.ts';

const of = (
  file: string,
  find: string,
  put: string,
  [test, match]: readonly [test: string, match: string],
  what: string,
): Mutation => ({ name: 'doctor', file, find, put, test, match, what });

export const doctor: readonly Mutation[] = [
  of(
    'src/preflight/first-start.ts',
    'if (failed.length > 0) throw new ConfigError(failed);',
    '',
    [FIRST, REFUSES],
    'what contradicts the ledger is refused before the first pin',
  ),
  of(
    'src/preflight/first-start.ts',
    "if (await start.pinned()) return 'pinned';",
    '',
    [FIRST, WAITS],
    'once pinned, a contradiction holds up nobody',
  ),
  of(
    'src/preflight/first-start.ts',
    'if (waits.length === 0) {',
    'if (waits.length >= 0) {',
    [FIRST, WAITS],
    'what may pass is waited for before the first pin',
  ),
  of(
    'src/submitter.ts',
    "if (was === 'pinned') void tellContradictions();",
    'void was;',
    [FIRST, WAITS],
    'a contradiction that comes later is said',
  ),
  of(
    'src/preflight/finding.ts',
    'if (isClosed(read))\n    return skipped',
    'if (false)\n    return skipped',
    [FIRST, 'where the token may not ask*'],
    'what may not be asked is skipped',
  ),
  of(
    'src/preflight/participant.ts',
    'given.startsWith(`${id}::`)',
    'given === id',
    [FINDINGS, 'a synchronizer id*'],
    'a physical synchronizer id is told from another one',
  ),
  of(
    'src/preflight/tokens.ts',
    "if (sight.kind === 'others' && issued.value.whole) return mistyped(token, sight.ids);",
    '',
    [FINDINGS, 'an instrument of the issuer*'],
    'an instrument that nobody holds, beside others, is refused',
  ),
  of(
    'src/preflight/tokens.ts',
    "sight.kind === 'others' && issued.value.whole",
    "sight.kind === 'others'",
    [FINDINGS, 'an instrument of the issuer*'],
    'only where everything was read',
  ),
  of(
    'src/ledger/inspect-holdings.ts',
    ' || !signatories.includes(instrument.admin)',
    '',
    ['test/ledger/inspect-holdings.test.ts', 'an instrument is believed*'],
    'an instrument is believed only where its admin has signed',
  ),
  of(
    'src/ledger/registry-http.ts',
    ', base];',
    '];',
    ['test/history/registry.test.ts', 'a registry at the root*'],
    'a registry at the root of its host is found',
  ),
  of(
    'src/cli/doctor/transfer.ts',
    'if (!flags.yes && !(await sure(',
    'if (false && !(await sure(',
    ['test/cli/doctor.test.ts', '--transfer puts a row in*'],
    'nothing is sent that nobody was asked for',
  ),
  of(
    'src/sandbox/grpc/validate.ts',
    "  check('synchronizer_id', prescribed, synchronizerString);\n",
    '',
    [STRICT, 'ids that cannot be read*'],
    'a physical synchronizer id is not taken for a synchronizer',
  ),
  of(
    'src/sandbox/grpc/submission-call.ts',
    "forbidden(host.rights, signed ? 'execute' : 'act', actAs) ??",
    '',
    [STRICT, 'rights:*'],
    'a submission needs the right to act',
  ),
  of(
    'src/sandbox/grpc/gate.ts',
    'forbidden(rights, doing, parties, anyParty) ?? ',
    '',
    [STRICT, 'rights:*'],
    'a read needs the right to read',
  ),
  of(
    'src/sandbox/grpc/gate.ts',
    '!host.settings.generation.wantsAudience || ',
    'Date.now() > 0 || ',
    [STRICT, '3.7:*'],
    'from 3.7 on a token needs an audience',
  ),
];
