// Holdings by the token standard's own view, whatever their template; and where they are.
import test from 'ava';
import { CreatedEvent, InterfaceView } from '#proto/com/daml/ledger/api/v2/event.js';
import { AssignedEvent, UnassignedEvent } from '#proto/com/daml/ledger/api/v2/reassignment.js';
import {
  ActiveContract,
  GetActiveContractsResponse,
  IncompleteAssigned,
  IncompleteUnassigned,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import { type Record as DamlRecord, List, Optional, Value } from '#proto/com/daml/ledger/api/v2/value.js';
import { Status } from '#proto/google/rpc/status.js';
import { contractOf, holdingOf } from '../../src/ledger/contracts.js';
import * as daml from '../../src/ledger/values.js';

const HERE = { kind: 'here' } as const;
const none = new Value({ optional: new Optional() });
const some = (value: Value) => new Value({ optional: new Optional({ value }) });
const recordOf = (fields: Record<string, Value>) => daml.recordValue(fields).record as DamlRecord;

const viewed = (change: Record<string, Value | undefined> = {}): Record<string, Value> => {
  const fields = {
    owner: daml.partyValue('alice::1'),
    instrumentId: daml.recordValue({ admin: daml.partyValue('admin::1'), id: daml.textValue('GEM') }),
    amount: daml.numeric(15_000_000_000n),
    lock: none,
    meta: daml.recordValue({ values: daml.emptyTextMap() }),
    ...change,
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value ? [[key, value]] : [])));
};

function created(
  fields: Record<string, Value> | null,
  {
    signatories = ['admin::1'],
    status = new Status({ code: 0 }),
  }: { signatories?: string[]; status?: Status } = {},
): CreatedEvent {
  const interfaceId = daml.identifier('id', 'Splice.Api.Token.HoldingV1', 'Holding');
  const view = new InterfaceView({ interfaceId, viewStatus: status });
  if (fields !== null) view.viewValue = recordOf(fields);
  return new CreatedEvent({
    contractId: '00c1',
    templateId: daml.identifier('pkg', 'Gems', 'Gem'),
    createArguments: recordOf({}),
    interfaceViews: [view],
    signatories,
  });
}

const holding = {
  contractId: '00c1',
  owner: 'alice::1',
  admin: 'admin::1',
  instrumentId: 'GEM',
  amount: 15_000_000_000n,
  lock: null,
  place: HERE,
};

test('a template that nobody here knows counts by its view', (t) => {
  t.deepEqual(holdingOf(created(viewed()), HERE), { kind: 'holding', holding });
});

test('what is absent at the end of a record is None', (t) => {
  t.deepEqual(holdingOf(created(viewed({ lock: undefined, meta: undefined })), HERE), {
    kind: 'holding',
    holding,
  });
});

test('a lock: its holders, and an end that can be judged', (t) => {
  const holders = new Value({ list: new List({ elements: [daml.partyValue('admin::1')] }) });
  const lock = (fields: Record<string, Value>) => {
    const read = holdingOf(created(viewed({ lock: some(daml.recordValue({ holders, ...fields })) })), HERE);
    return read?.kind === 'holding' ? read.holding.lock : read;
  };
  const locked = { holders: ['admin::1'], expiresAt: null };
  t.deepEqual(lock({}), locked, 'no end');
  t.deepEqual(lock({ expiresAt: some(daml.timestamp(1_700_000_000_000_001n)) }), {
    ...locked,
    expiresAt: 1_700_000_000_000_001n,
  });
  const hour = some(daml.recordValue({ microseconds: new Value({ int64: '3600000000' }) }));
  t.deepEqual(
    lock({ expiresAt: none, expiresAfter: hour }),
    locked,
    'after a while that nobody here can reckon',
  );
  t.deepEqual(
    lock({ expiresAt: some(daml.textValue('tomorrow')) }),
    locked,
    'an end that cannot be read counts as no end',
  );
});

test('an instrument is believed where its admin has signed', (t) => {
  t.is(holdingOf(created(viewed(), { signatories: ['mallory::1', 'alice::1'] }), HERE), null);
});

test('a holding whose view is missing or unreadable is told as such, not left out', (t) => {
  const status = new Status({ code: 9, message: 'no such package' });
  const reasons = [
    created(null, { status }),
    created(viewed({ amount: daml.textValue('many') })),
    // Finer than Daml's Decimal cannot be: nothing is rounded.
    created(viewed({ amount: new Value({ numeric: '0.00000000001' }) })),
    created(viewed({ lock: daml.textValue('no') })),
    new CreatedEvent({ contractId: '00c1', signatories: ['admin::1'] }),
  ].map((event) => {
    const read = holdingOf(event, HERE);
    return read?.kind === 'unreadable' ? [read.unreadable.signatories, read.unreadable.why] : read;
  });
  const odd = [['admin::1'], 'its view does not follow the token standard'];
  t.deepEqual(reasons, [
    [['admin::1'], 'its view cannot be computed (9: no such package)'],
    odd,
    odd,
    odd,
    [['admin::1'], 'the participant shows no view of it'],
  ]);
});

test('where a contract is: here by its logical or physical id, elsewhere, on its way', (t) => {
  const createdEvent = created(viewed());
  const active = (synchronizerId: string) =>
    contractOf(
      new GetActiveContractsResponse({
        activeContract: new ActiveContract({ createdEvent, synchronizerId }),
      }),
      'global::1220aa',
    );
  for (const id of ['global::1220aa', 'global::1220aa::35-0', '']) t.like(active(id), { place: HERE });
  const elsewhere = { kind: 'elsewhere', synchronizerId: 'other::1220aa' };
  t.like(active('other::1220aa'), { place: elsewhere });
  t.like(active('global::1220aab'), { place: { kind: 'elsewhere' } });

  const moving = { place: { kind: 'moving', to: 'other::1' } };
  const unassignedEvent = new UnassignedEvent({ target: 'other::1' });
  const incompleteUnassigned = new IncompleteUnassigned({ createdEvent, unassignedEvent });
  t.like(contractOf(new GetActiveContractsResponse({ incompleteUnassigned }), 's'), moving);
  const assignedEvent = new AssignedEvent({ target: 'other::1', createdEvent });
  const incompleteAssigned = new IncompleteAssigned({ assignedEvent });
  t.like(contractOf(new GetActiveContractsResponse({ incompleteAssigned }), 's'), moving);
});

test('an entry in a form that is not known may be money; one that only says where to go on is not', (t) => {
  t.is(contractOf(new GetActiveContractsResponse({}), 's'), 'unknown');
  t.is(contractOf(new GetActiveContractsResponse({ streamContinuationToken: Buffer.of(1) }), 's'), 'nothing');
});
