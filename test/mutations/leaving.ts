// What is looked at right before a request leaves, and what its record begins with.
import { entries } from './mutation.js';

const leaving = 'test/history/leaving.test.ts';
const i1 = entries('I1', 'src/')(leaving);
const i3 = entries('I3', 'src/')('test/history/answers.test.ts');
const i4 = entries('I4', 'src/')(leaving);

export const leavings = [
  i1(
    'ledger/call.ts',
    'const why = options.mayNotLeave?.() ?? null;',
    'const why = null as string | null;',
    'I1 * while a token*',
    'the last look, in the tick in which a request leaves',
  ),
  i1(
    'path/send.ts',
    'mayNotLeave: () => tooLate(path, submission, ready)?.why ?? null,',
    'mayNotLeave: () => null,',
    'I1 * while a token*',
    'what is looked at in the tick in which a request leaves',
  ),
  i4(
    'path/send.ts',
    'path.participant.verified()?.pinned.sentOn !== record.sentOn',
    'path.participant.verified() === null',
    'I4 a repin*',
    'that a record is of the participant that is pinned now',
  ),
  i4(
    'path/claim.ts',
    'sentFrom: participant.sentFrom(),',
    'sentFrom: participant.ledgerEnd(),',
    'I4 no record*(hosted, sender)',
    'that the record of a claim begins at a proven ledger end',
  ),
  i4(
    'path/reserve.ts',
    'sentFrom: path.participant.sentFrom(),',
    'sentFrom: path.participant.ledgerEnd(),',
    'I4 no record*(hosted, holdings)',
    'that the record of a reservation begins at a proven ledger end',
  ),
  i4(
    'path/external.ts',
    'sentFrom: path.participant.sentFrom(),',
    'sentFrom: path.participant.ledgerEnd(),',
    'I4 no record*(external, sender)',
    'that the record of what is signed begins at a proven ledger end',
  ),
  entries('I5', 'src/')('test/history/ledger-participant.test.ts')(
    'path/gather.ts',
    'const before = await path.participant.prove(options.signal);',
    "const before = 'proven' as 'proven' | 'unsure' | 'another';",
    'P27 a balance that another*, though*',
    'the first of the two proofs around a verdict from the balance',
  ),
  entries('I3', 'src/')('test/history/ledger-undecided.test.ts')(
    'path/look/acceptance.ts',
    'pruned.value >= completionOffset',
    'pruned.value > completionOffset',
    'I3 DUPLICATE_COMMAND*',
    'that what is pruned up to its very offset will never be shown',
  ),
  i3(
    'ledger/error-table.ts',
    "errorId === 'SEQUENCER_REQUEST_FAILED' &&",
    "errorId === 'SEQUENCER_REQUEST_TOO_LARGE' &&",
    'I3 a transaction that is too large*',
    'what tells a transaction that is too large from load',
  ),
  i3(
    'protocol/decide.ts',
    'if (attempt.held) return retry',
    "if (attempt.held && kind !== 'overload') return retry",
    'I3 a transaction that the ledger always*',
    'that load is held against a row that is a day old',
  ),
  entries('I3', 'src/')('test/history/ledger-send.test.ts')(
    'path/send.ts',
    'if (!isOld(path, submission)) return',
    'if (!isOld(path, submission) || Date.now() > 0) return',
    'I3 reads that always*',
    'that reads which are always too slow are held against a row that is a day old',
  ),
];
