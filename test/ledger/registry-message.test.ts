// A registry's answer, read without trust: half a context would be another transfer than it meant.
import test from 'ava';
import { registryAnswer } from '../../src/ledger/registry-message.js';
import { contextValue } from '../../src/ledger/transfer-command.js';

const answered = (answer: unknown) => registryAnswer(JSON.stringify(answer), 'sync::1220');

const good = {
  factoryId: '00fa',
  transferKind: 'direct',
  choiceContext: {
    choiceContextData: {
      values: {
        rule: { tag: 'AV_ContractId', value: '00b1' },
        note: { tag: 'AV_Text', value: 'x' },
        who: { tag: 'AV_Party', value: 'p::1' },
        fee: { tag: 'AV_Decimal', value: '0.5' },
        count: { tag: 'AV_Int', value: '9007199254740993' },
        small: { tag: 'AV_Int', value: 7 },
        open: { tag: 'AV_Bool', value: true },
        day: { tag: 'AV_Date', value: '2024-02-29' },
        early: { tag: 'AV_Date', value: '0001-01-01' },
        time: { tag: 'AV_Time', value: '2024-02-29T23:59:59.123456Z' },
        past: { tag: 'AV_Time', value: '1969-12-31T23:59:59.9Z' },
        fine: { tag: 'AV_Time', value: '1970-01-01T00:00:00.0000019Z' },
        span: { tag: 'AV_RelTime', value: { microseconds: '-9007199254740993' } },
        number: { tag: 'AV_RelTime', value: { microseconds: 7 } },
        bare: { tag: 'AV_RelTime', value: '7' },
        list: { tag: 'AV_List', value: [{ tag: 'AV_Text', value: 'y' }] },
        map: { tag: 'AV_Map', value: { k: { tag: 'AV_Bool', value: false } } },
        pairs: { tag: 'AV_Map', value: [{ _1: 'k', _2: { tag: 'AV_Bool', value: false } }] },
      },
    },
    disclosedContracts: [
      {
        contractId: '00b1',
        createdEventBlob: 'YmxvYg==',
        templateId: 'pkg:A.B:C',
        synchronizerId: 'other::1220',
      },
      {
        contractId: '00b2',
        createdEventBlob: 'YmxvYg==',
        templateId: { packageId: 'pkg', moduleName: 'A.B', entityName: 'D' },
        debugPayload: { anything: 1 },
      },
    ],
  },
};

test('the factory, its context and its disclosures, whichever way they are written', (t) => {
  const read = answered(good);
  if (read.kind === 'unreadable') return t.fail(read.what);
  const { context, disclosed, ...rest } = read.factory;
  t.deepEqual(rest, { kind: 'registry', contractId: '00fa', transferKind: 'direct' });
  t.is(context.size, 18);
  t.deepEqual(context.get('count'), { tag: 'AV_Int', value: '9007199254740993' });
  t.deepEqual(context.get('small'), { tag: 'AV_Int', value: '7' });
  for (const [key, tag, value] of [
    ['day', 'AV_Date', 19_782],
    ['early', 'AV_Date', -719_162],
    ['time', 'AV_Time', 1_709_251_199_123_456n],
    ['past', 'AV_Time', -100_000n],
    ['fine', 'AV_Time', 1n],
    ['span', 'AV_RelTime', -9_007_199_254_740_993n],
    ['number', 'AV_RelTime', 7n],
    ['bare', 'AV_RelTime', 7n],
  ] as const) {
    t.like(context.get(key), { tag, value }, key);
  }
  t.deepEqual(context.get('list'), { tag: 'AV_List', value: [{ tag: 'AV_Text', value: 'y' }] });
  t.deepEqual(context.get('map'), {
    tag: 'AV_Map',
    value: new Map([['k', { tag: 'AV_Bool', value: false }]]),
  });
  t.deepEqual(context.get('pairs'), context.get('map'));
  t.deepEqual(
    disclosed.map(({ createdEventBlob, ...one }) => ({
      ...one,
      blob: Buffer.from(createdEventBlob).toString(),
    })),
    [
      {
        contractId: '00b1',
        templateId: { packageId: 'pkg', moduleName: 'A.B', entityName: 'C' },
        synchronizerId: 'other::1220',
        blob: 'blob',
      },
      // Ours, where it does not say.
      {
        contractId: '00b2',
        templateId: { packageId: 'pkg', moduleName: 'A.B', entityName: 'D' },
        synchronizerId: 'sync::1220',
        blob: 'blob',
      },
    ],
  );
});

test('a context goes to the ledger as what each of its values is', (t) => {
  const read = answered(good);
  if (read.kind === 'unreadable') return t.fail(read.what);
  const entries = contextValue(read.factory.context).record?.fields[0]?.value?.textMap?.entries ?? [];
  const sent = (key: string) => entries.find((entry) => entry.key === key)?.value?.variant;
  t.like(sent('day')?.toObject(), { constructorName: 'AV_Date', value: { date: 19_782 } });
  t.like(sent('time')?.toObject(), { constructorName: 'AV_Time', value: { timestamp: '1709251199123456' } });
  t.like(sent('span')?.toObject(), {
    constructorName: 'AV_RelTime',
    value: { record: { fields: [{ label: 'microseconds', value: { int64: '-9007199254740993' } }] } },
  });
});

test('its kind of transfer is kept, also where it does not say', (t) => {
  for (const [transferKind, kept] of [
    ['direct', 'direct'],
    ['self', 'self'],
    ['offer', 'offer'],
    [undefined, null],
    [null, null],
  ] as const) {
    t.like(answered({ ...good, transferKind }), { factory: { transferKind: kept } });
  }
});

const context = (values: unknown) => ({
  ...good,
  choiceContext: { ...good.choiceContext, choiceContextData: { values } },
});
const disclosing = (change: object, ...more: object[]) => ({
  ...good,
  choiceContext: {
    ...good.choiceContext,
    disclosedContracts: [{ ...good.choiceContext.disclosedContracts[0], ...change }, ...more],
  },
});
const nested = (depth: number): unknown =>
  depth === 0 ? { tag: 'AV_Text', value: 'x' } : { tag: 'AV_List', value: [nested(depth - 1)] };

const unreadable: ReadonlyArray<readonly [string, unknown]> = [
  ['no object', []],
  ['no factory', { ...good, factoryId: '' }],
  ['a factory that is a number', { ...good, factoryId: 7 }],
  ['a kind of transfer that is not known', { ...good, transferKind: 'escrow' }],
  ['no context', { ...good, choiceContext: undefined }],
  ['a value of an unknown kind', context({ a: { tag: 'AV_Enum', value: 'x' } })],
  ['a day that does not exist', context({ a: { tag: 'AV_Date', value: '2025-02-30' } })],
  ['a day before the first', context({ a: { tag: 'AV_Date', value: '0000-12-31' } })],
  ['a day with a time', context({ a: { tag: 'AV_Date', value: '2025-01-01T00:00:00Z' } })],
  ['a day as a number', context({ a: { tag: 'AV_Date', value: 7 } })],
  ['a time that does not exist', context({ a: { tag: 'AV_Time', value: '2025-01-01T24:00:00Z' } })],
  ['a time without a zone', context({ a: { tag: 'AV_Time', value: '2025-01-01T00:00:00' } })],
  ['a time as a number', context({ a: { tag: 'AV_Time', value: 7 } })],
  ['a span that is null', context({ a: { tag: 'AV_RelTime', value: null } })],
  ['a span that JSON has rounded', context({ a: { tag: 'AV_RelTime', value: { microseconds: 2 ** 60 } } })],
  ['a value without its tag', context({ a: 'x' })],
  ['a decimal as a number', context({ a: { tag: 'AV_Decimal', value: 0.1 } })],
  ['a decimal too fine', context({ a: { tag: 'AV_Decimal', value: '0.00000000001' } })],
  ['an integer that JSON has rounded', context({ a: { tag: 'AV_Int', value: 2 ** 60 } })],
  ['an integer of more than 64 bits', context({ a: { tag: 'AV_Int', value: '9223372036854775808' } })],
  ['a list that is not a list', context({ a: { tag: 'AV_List', value: 'x' } })],
  ['a list of which one is odd', context({ a: { tag: 'AV_List', value: [{ tag: 'AV_Text', value: 1 }] } })],
  [
    'a map with a key twice',
    context({
      a: {
        tag: 'AV_Map',
        value: [
          { _1: 'k', _2: nested(0) },
          { _1: 'k', _2: nested(0) },
        ],
      },
    }),
  ],
  ['values in values without end', context({ a: nested(200) })],
  ['a blob that is not base64', disclosing({ createdEventBlob: '***' })],
  ['an empty blob', disclosing({ createdEventBlob: '' })],
  ['a template of two parts', disclosing({ templateId: 'A:B' })],
  ['a contract disclosed twice', disclosing({}, good.choiceContext.disclosedContracts[0] ?? {})],
];
test('an answer that is not understood is refused whole', (t) => {
  for (const [title, answer] of unreadable) t.is(answered(answer).kind, 'unreadable', title);
});
