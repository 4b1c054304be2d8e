// What a participant might make of the words of a transfer of our own token, and how its refusal begins.
import type { PreparedTransaction } from '@canton-network/core-ledger-proto';
import { ASKED, BOB, MALLORY, UNIT } from './prepared-contracts.js';
import { inputOf, metadataOf, rootOf, setField } from './prepared-edit.js';
import { type, v } from './prepared-values.js';

type Change = (message: PreparedTransaction) => void;

const term = (path: string, value: Parameters<typeof setField>[2]): Change => {
  return (m) => setField(rootOf(m).chosenValue, `transfer.${path}`, value);
};
const meta =
  (change: object): Change =>
  (m) =>
    Object.assign(metadataOf(m), change);

export const words: ReadonlyArray<readonly [string, RegExp, Change]> = [
  // The terms
  ['another receiver', /^argument\.transfer\.receiver: mallory/, term('receiver', v.party(MALLORY))],
  ['another sender', /^argument\.transfer\.sender: bob/, term('sender', v.party(BOB))],
  ['more', /^argument\.transfer\.amount: 5\.0000000001, where 5 /, term('amount', v.numeric(5n * UNIT + 1n))],
  [
    'an amount that is not a number',
    /^argument\.transfer\.amount: many/,
    term('amount', { sum: { oneofKind: 'numeric', numeric: 'many' } }),
  ],
  ['an amount of another kind', /^argument\.transfer\.amount: something else/, term('amount', v.text('5.0'))],
  [
    'another instrument',
    /^argument\.transfer\.instrumentId\.id: GOLD/,
    term('instrumentId.id', v.text('GOLD')),
  ],
  [
    "another admin's instrument",
    /^argument\.transfer\.instrumentId\.admin: mallory/,
    term('instrumentId.admin', v.party(MALLORY)),
  ],
  [
    'another expected admin',
    /^argument\.expectedAdmin/,
    (m) => setField(rootOf(m).chosenValue, 'expectedAdmin', v.party(MALLORY)),
  ],
  ['another time', /^argument\.transfer\.requestedAt/, term('requestedAt', v.time(1n))],
  ['a later end', /^argument\.transfer\.executeBefore/, term('executeBefore', v.time(2n ** 60n))],
  [
    'an extra input',
    /^extra input: 00c9/,
    term('inputHoldingCids', v.list(['00c1', '00c2', '00c9'].map(v.id))),
  ],
  [
    'an input twice',
    /^extra input: 00c1/,
    term('inputHoldingCids', v.list(['00c1', '00c2', '00c1'].map(v.id))),
  ],
  ['an input less', /^missing input: 00c2/, term('inputHoldingCids', v.list([v.id('00c1')]))],
  [
    'a note that nobody wrote',
    /^argument\.transfer\.meta\.values: reason was not/,
    term('meta', v.record({ values: v.map({ reason: v.text('x') }) })),
  ],
  [
    'a context that nobody gave',
    /^argument\.extraArgs\.context\.values: rule was not/,
    (m) => setField(rootOf(m).chosenValue, 'extraArgs.context.values', v.map({ rule: v.text('x') })),
  ],
  [
    'a field that nobody knows',
    /^argument\.transfer\.meta: more was not/,
    term('meta', v.record({ values: v.map(), more: v.none() })),
  ],
  [
    'a field twice',
    /^argument\.transfer\.meta: something else/,
    (m) => {
      const doubled = v.record({ values: v.map() });
      if (doubled.sum.oneofKind === 'record')
        doubled.sum.record.fields.push({ label: 'values', value: v.map() });
      setField(rootOf(m).chosenValue, 'transfer.meta', doubled);
    },
  ],
  // The root
  ['another factory', /^root: exercises 00fb/, (m) => Object.assign(rootOf(m), { contractId: '00fb' })],
  [
    'another choice',
    /^root: its choice is Archive/,
    (m) => Object.assign(rootOf(m), { choiceId: 'Archive' }),
  ],
  ['a choice of the template itself', /^root: its choice is not/, (m) => delete rootOf(m).interfaceId],
  [
    'a choice of another interface',
    /^root: its choice is not/,
    (m) => Object.assign(rootOf(m), { interfaceId: type('Splice.Api.Token.BurnMintV1', 'TransferFactory') }),
  ],
  ['another actor besides', /^root: its acting parties/, (m) => rootOf(m).actingParties.push(MALLORY)],
  ['no actor', /^root: its acting parties/, (m) => rootOf(m).actingParties.pop()],
  ['a factory that is used up', /^root: it consumes/, (m) => Object.assign(rootOf(m), { consuming: true })],
  ['two roots', /^root: there are 2/, (m) => m.transaction?.roots.push('1')],
  ['no root', /^root: there are 0/, (m) => m.transaction?.roots.pop()],
  ['a root that is not there', /^extra node: 99/, (m) => m.transaction?.roots.splice(0, 1, '99')],
  [
    'a root that is not an exercise',
    /^(root|extra node)/,
    (m) => m.transaction?.roots.splice(0, 1, String((m.transaction?.nodes.length ?? 0) - 1)),
  ],
  [
    'a factory that our issuer did not sign',
    /^root: the factory is not signed/,
    (m) => {
      Object.assign(rootOf(m), { signatories: [MALLORY], stakeholders: [MALLORY] });
      Object.assign(inputOf(m, 0), { signatories: [MALLORY], stakeholders: [MALLORY] });
    },
  ],
  // Metadata
  ['another submitter', /^act_as: mallory/, meta({ submitterInfo: { actAs: [MALLORY], commandId: '0x' } })],
  ['a submitter more', /^act_as: alice.*, mallory/, (m) => metadataOf(m).submitterInfo?.actAs.push(MALLORY)],
  ['no submitter', /^act_as: nobody/, (m) => delete metadataOf(m).submitterInfo],
  [
    'another command',
    /^command_id: 0xcd/,
    (m) => Object.assign(metadataOf(m).submitterInfo ?? {}, { commandId: '0xcd' }),
  ],
  ['another synchronizer', /^synchronizer: sync::1220bbb/, meta({ synchronizerId: 'sync::1220bbb' })],
  ['no max_record_time', /^max_record_time: absent/, (m) => delete metadataOf(m).maxRecordTime],
  ['a later max_record_time', /^max_record_time: 1700000030000001/, meta({ maxRecordTime: ASKED + 1n })],
  ['a max_record_time of zero', /^max_record_time: 0/, meta({ maxRecordTime: 0n })],
  [
    'a ledger time past the bound',
    /^ledger_effective_time: not before/,
    meta({ minLedgerEffectiveTime: ASKED + 60_000_001n }),
  ],
  [
    'ledger times the wrong way round',
    /^ledger_effective_time/,
    meta({ minLedgerEffectiveTime: ASKED, maxLedgerEffectiveTime: ASKED - 1n }),
  ],
  [
    'a ledger time without an end',
    /^ledger_effective_time: it has no end/,
    (m) => delete metadataOf(m).maxLedgerEffectiveTime,
  ],
  ['a ledger time for ever', /^ledger_effective_time: until/, meta({ maxLedgerEffectiveTime: 2n ** 62n })],
  ['no transaction', /^transaction: it cannot be read \(half/, (m) => delete m.transaction],
  ['no metadata', /^transaction: it cannot be read \(half/, (m) => delete m.metadata],
];
