// Which instruments are seen, by the interface's own view.
import test from 'ava';
import { CreatedEvent, InterfaceView } from '#proto/com/daml/ledger/api/v2/event.js';
import {
  Record as DamlRecord,
  Identifier,
  Optional,
  RecordField,
  Value,
} from '#proto/com/daml/ledger/api/v2/value.js';
import { holdingSample } from '../../src/ledger/inspect-holdings.js';
import { bench, TIMEOUT, valueIn } from './setup.js';

const record = (fields: Readonly<Record<string, Value>>): DamlRecord =>
  new DamlRecord({
    fields: Object.entries(fields).map(([label, value]) => new RecordField({ label, value })),
  });
const instrumentId = new Value({
  record: record({ admin: new Value({ party: 'admin::1' }), id: new Value({ text: 'GOLD' }) }),
});
const view = (fields: Readonly<Record<string, Value>>): InterfaceView =>
  new InterfaceView({
    interfaceId: new Identifier({
      packageId: 'p',
      moduleName: 'Splice.Api.Token.HoldingV1',
      entityName: 'Holding',
    }),
    viewValue: record(fields),
  });
const owner = new Value({ party: 'alice::1' });

test('an instrument is believed only where its admin has signed, and only by the view', (t) => {
  const event = (signatories: string[], views = [view({ owner, instrumentId })]) =>
    new CreatedEvent({ contractId: '00', signatories, interfaceViews: views });
  t.like(holdingSample(event(['admin::1', 'alice::1'])), {
    admin: 'admin::1',
    instrumentId: 'GOLD',
    owner: 'alice::1',
    locked: false,
  });
  t.is(holdingSample(event(['mallory::1'])), null);
  t.is(holdingSample(event(['admin::1'], [])), null, 'its view was not computed');
  const some = new Value({ optional: new Optional({ value: owner }) });
  const none = new Value({ optional: new Optional() });
  t.is(holdingSample(event(['admin::1'], [view({ owner, instrumentId, lock: some })]))?.locked, true);
  t.is(holdingSample(event(['admin::1'], [view({ owner, instrumentId, lock: none })]))?.locked, false);
});

test('of each owner and instrument one, unlocked where there is such; and whether all was read', async (t) => {
  const { sandbox, ledger, alice } = await bench(t, { registry: true });
  sandbox.createParties([
    {
      party: alice,
      holdings: [
        { token: 'DEMO', amount: 1, locked: true },
        { token: 'EURO', amount: 1 },
      ],
    },
  ]);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  const ask = async (parties: string[], limit: number) =>
    valueIn(await ledger.inspect.holdings({ parties, at, limit }, TIMEOUT));
  const seen = await ask([alice], 100);
  t.true(seen.whole);
  t.deepEqual(seen.samples.map(({ instrumentId, locked }) => [instrumentId, locked]).sort(), [
    ['DEMO', false],
    ['EURO', false],
  ]);
  t.false((await ask([alice], 2)).whole);
  const issued = await ask([sandbox.issuer], 100);
  t.deepEqual([...new Set(issued.samples.map((one) => one.instrumentId))].sort(), ['DEMO', 'PROMPT', 'USDD']);
});
