// Tokens of another admin: the registry over HTTP, and transfers that the ledger takes only with what it said.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Value as OfficialValue } from '@canton-network/core-ledger-proto';
import test, { type ExecutionContext } from 'ava';
import { DisclosedContract } from '#proto/com/daml/ledger/api/v2/commands.js';
import { TransactionShape } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { List, Value, Variant } from '#proto/com/daml/ledger/api/v2/value.js';
import { startSandbox } from '../../src/sandbox/index.js';
import { startPacedSandbox } from '../support/paced-sandbox.js';
import { ALICE, amuletHolding, registryHolding } from '../transfer/prepared-contracts.js';
import { failing } from './client.js';
import { contentOf, ExternalClient } from './external.js';
import { at, connect, type ExternalStage } from './setup.js';
import { toldByError } from './told.js';
import { HOLDING_INTERFACE, nowMicros, type TransferSpec } from './transfer-commands.js';

interface FactoryAnswer {
  readonly factoryId: string;
  readonly transferKind: string;
  readonly choiceContext: {
    readonly choiceContextData: { readonly values: Record<string, { tag: string; value: unknown }> };
    readonly disclosedContracts: readonly {
      templateId: string;
      contractId: string;
      createdEventBlob: string;
      synchronizerId: string;
    }[];
  };
}

interface RegistryStage extends ExternalStage {
  readonly hosted: string;
  readonly ask: (transfer: Partial<TransferSpec>) => Promise<{ status: number; text: string }>;
  /** As the registry says. */
  readonly spec: (change?: Partial<TransferSpec>) => Promise<TransferSpec>;
}

async function registryStage(t: ExecutionContext, timeScale = 0.1): Promise<RegistryStage> {
  const sandbox = await startPacedSandbox({ timeScale, latencyMs: 0, seed: t.title, registry: true });
  t.teardown(() => sandbox.close());
  const client = connect(t, sandbox);
  const holdings = ['USDCx', 'EURO', 'DEMO'].map((token) => ({ token, amount: '10', count: 2 }));
  const signer = at(sandbox.createExternalParties([{ hint: 'alice', holdings }]), 0);
  const [bob = '', hosted = ''] = sandbox.createParties([{ hint: 'bob' }, { hint: 'hosted', holdings }]);
  const ask: RegistryStage['ask'] = async ({
    sender = signer.party,
    receiver = bob,
    instrument = 'USDCx',
    admin = sandbox.registrar,
  }) => {
    const instrumentId = { admin, id: instrument };
    const transfer = {
      sender,
      receiver,
      amount: '1.5',
      instrumentId,
      inputHoldingCids: [],
      requestedAt: new Date().toISOString(),
      executeBefore: new Date().toISOString(),
      meta: { values: {} },
    };
    const extraArgs = { context: { values: {} }, meta: { values: {} } };
    const answer = await fetch(
      `${sandbox.httpUrl}/api/token-standard/v0/registrars/${encodeURIComponent(admin)}/registry/transfer-instruction/v1/transfer-factory`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          choiceArguments: { expectedAdmin: admin, transfer, extraArgs },
          excludeDebugFields: false,
        }),
      },
    );
    return { status: answer.status, text: await answer.text() };
  };
  const spec: RegistryStage['spec'] = async (change = {}) => {
    const { sender = signer.party, instrument = 'USDCx' } = change;
    const { factoryId, choiceContext } = JSON.parse((await ask(change)).text) as FactoryAnswer;
    const coins = await client.active(sender, HOLDING_INTERFACE, { view: true });
    const inputs = coins.filter((it) => JSON.stringify(it.toObject()).includes(`"${instrument}"`));
    return {
      commandId: 'c1',
      sender,
      receiver: bob,
      amount: '1.5',
      instrument,
      inputs: [at(inputs, 0).contractId],
      admin: sandbox.registrar,
      factory: factoryId,
      context: Object.fromEntries(
        Object.entries(choiceContext.choiceContextData.values).map(([key, value]) => [key, anyValue(value)]),
      ),
      disclosed: choiceContext.disclosedContracts.map(
        ({ contractId, createdEventBlob }) =>
          new DisclosedContract({ contractId, createdEventBlob: Buffer.from(createdEventBlob, 'base64') }),
      ),
      readAs: [],
      ...change,
    };
  };
  const external = new ExternalClient(client);
  return { sandbox, client, external, signer, alice: signer.party, bob, hosted, coins: [], ask, spec };
}

/** As far as this registry's contexts go. */
function anyValue({ tag, value }: { tag: string; value: unknown }): Value {
  const content =
    tag === 'AV_ContractId' ? new Value({ contractId: `${value}` }) : new Value({ list: new List() });
  return new Value({ variant: new Variant({ constructorName: tag, value: content }) });
}

const toldOf = async (attempt: Promise<unknown>) => toldByError(await failing(attempt));

test('without being asked for there is no registrar, and the tokens are the issuer’s', async (t) => {
  const sandbox = await startSandbox({ latencyMs: 0 });
  t.teardown(() => sandbox.close());
  t.is(sandbox.tokens.length, 3);
  t.false(sandbox.parties().includes(sandbox.registrar));
});

test('the registry names factory, kind, context and what it discloses', async (t) => {
  const on = await registryStage(t);
  const { status, text } = await on.ask({});
  t.is(status, 200);
  const answer = JSON.parse(text) as FactoryAnswer;
  t.is(answer.transferKind, 'direct');
  t.is(answer.choiceContext.disclosedContracts.length, 2);
  t.is(answer.choiceContext.disclosedContracts[0]?.contractId, answer.factoryId);
  const values = Object.values(answer.choiceContext.choiceContextData.values);
  t.deepEqual(
    values.map(({ tag }) => tag),
    ['AV_ContractId', 'AV_List', 'AV_List'],
  );
  const kindOf = async (transfer: Partial<TransferSpec>) =>
    (JSON.parse((await on.ask(transfer)).text) as FactoryAnswer).transferKind;
  t.is(await kindOf({ receiver: on.alice }), 'self');
  t.is(await kindOf({ instrument: 'EURO' }), 'offer');
  t.is((await on.ask({ instrument: 'DEMO' })).status, 404);
  const tokens = JSON.parse(readFileSync(`${on.sandbox.env.TOKENS_FILE}`, 'utf8')) as Record<string, object>;
  const named = (symbol: string) =>
    Object.values(tokens).find((it) => 'symbol' in it && it.symbol === symbol);
  t.like(named('USDCx'), {
    instrumentAdmin: on.sandbox.registrar,
    registryUrl: on.sandbox.httpUrl,
    steps: 1,
  });
  t.like(named('EURO'), { steps: 2 });
});

test('direct: the money moves at once, for external and for hosted parties', async (t) => {
  const on = await registryStage(t);
  const prepared = await on.external.prepare(await on.spec());
  const { metadata, transaction } = contentOf(prepared);
  t.is(metadata.inputContracts.length, 3, 'factory, rules and the coin');
  t.true((metadata.minLedgerEffectiveTime ?? 0n) < metadata.preparationTime, 'nobody calls getTime');
  t.true((metadata.maxLedgerEffectiveTime ?? 0n) > metadata.preparationTime);
  t.deepEqual(
    transaction.nodes.map(({ versionedNode: it }) => it.oneofKind === 'v1' && it.v1.nodeType.oneofKind),
    ['exercise', 'fetch', 'fetch', 'exercise', 'create', 'create'],
  );
  const { updateId } = await on.external.execute(prepared, on.signer);
  t.is(on.sandbox.balances(on.bob).USDCx?.amount, '1.5000000000');
  t.is(on.sandbox.balances(on.alice).USDCx?.amount, '18.5000000000');
  await on.client.transfer(await on.spec({ commandId: 'c2', sender: on.hosted }));
  t.is(on.sandbox.balances(on.bob).USDCx?.amount, '3.0000000000');

  const [holding] = await on.client.active(on.bob, HOLDING_INTERFACE, { view: true });
  t.deepEqual(
    holding?.createArguments?.fields.map(({ label }) => label),
    ['operator', 'provider', 'registrar', 'owner', 'instrument', 'label', 'amount'],
  );
  t.deepEqual(holding?.signatories, [on.sandbox.registrar, on.bob]);
  t.is(holding?.interfaceViews[0]?.viewValue?.fields[1]?.value?.record?.fields[1]?.value?.text, 'USDCx');
  const update = await on.client.update(
    updateId,
    on.alice,
    TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS,
  );
  t.like(update.events[0]?.exercised, { choice: 'TransferFactory_Transfer', actingParties: [on.alice] });
  const output = update.events[0]?.exercised?.exerciseResult?.record?.fields[0]?.value?.variant;
  t.is(output?.constructorName, 'TransferInstructionResult_Completed');
});

test('offer: what is offered is locked, the change comes back, the receiver has nothing yet', async (t) => {
  const on = await registryStage(t);
  const prepared = await on.external.prepare(await on.spec({ instrument: 'EURO' }));
  const { updateId } = await on.external.execute(prepared, on.signer);
  t.is(on.sandbox.balances(on.bob).EURO, undefined);
  t.like(on.sandbox.balances(on.alice).EURO, { amount: '20.0000000000', holdings: 3, locked: 1 });
  const update = await on.client.update(updateId, on.bob, TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS);
  t.deepEqual(
    update.events.map((it) => it.created?.templateId?.entityName),
    ['Holding', 'TransferOffer'],
    'all that its receiver sees',
  );
  const [locked, offer] = update.events.map((it) => it.created);
  const transfer = offer?.createArguments?.fields.at(-1)?.value?.record;
  t.deepEqual(
    transfer?.fields
      .find(({ label }) => label === 'inputHoldingCids')
      ?.value?.list?.elements.map((it) => it.contractId),
    [locked?.contractId ?? ''],
    'the offer is of what is locked for it',
  );
  const effects = await on.client.update(
    updateId,
    on.alice,
    TransactionShape.TRANSACTION_SHAPE_LEDGER_EFFECTS,
  );
  const output = effects.events[0]?.exercised?.exerciseResult?.record?.fields[0]?.value?.variant;
  t.is(output?.constructorName, 'TransferInstructionResult_Pending');
});

/** Fields by their labels, as deep as they go; of anything else its kind. */
function shapeOf(value: OfficialValue | undefined): unknown {
  const { sum } = value ?? {};
  if (sum?.oneofKind === 'record')
    return Object.fromEntries(sum.record.fields.map((field) => [field.label, shapeOf(field.value)]));
  if (sum?.oneofKind === 'optional') return { some: shapeOf(sum.optional.value) };
  if (sum?.oneofKind === 'list') return sum.list.elements.map(shapeOf);
  return sum?.oneofKind === 'genMap' ? sum.genMap.entries.map(({ key }) => shapeOf(key)) : sum?.oneofKind;
}

test("holdings have the layout that the submitter's own fixtures have from real networks", async (t) => {
  const on = await registryStage(t);
  const [ended] = on.sandbox.createExternalParties([
    { hint: 'carol', holdings: [{ token: 'Amulet', amount: '2', locked: { endsInMs: -60_000 } }] },
  ]);
  const dso = on.sandbox.registrar.replace('registrar', 'DSO');
  const amulets = { sender: ended?.party ?? '', admin: dso, instrument: 'Amulet' };
  const of = async (change: Partial<TransferSpec>) => {
    const { transaction, metadata } = contentOf(await on.external.prepare(await on.spec(change)));
    const inputs = metadata.inputContracts.map(({ contract: it }) => (it.oneofKind === 'v1' ? it.v1 : null));
    const made = transaction.nodes.map(({ versionedNode: it }) =>
      it.oneofKind === 'v1' && it.v1.nodeType.oneofKind === 'create' ? it.v1.nodeType.create : null,
    );
    return [...inputs, ...made].flatMap((create) => create ?? []);
  };
  const seen = [...(await of({})), ...(await of({ instrument: 'EURO' })), ...(await of(amulets))];
  const fixtures = [
    registryHolding('00', ALICE, 1n),
    registryHolding('00', ALICE, 1n, { locked: true }),
    amuletHolding('00', ALICE, 1n),
    amuletHolding('00', ALICE, 1n, 1n),
  ];
  for (const { template, argument, signatories, stakeholders } of fixtures) {
    const alike = seen.filter(
      (create) =>
        create.templateId?.entityName === template[1] &&
        isDeepStrictEqual(shapeOf(create.argument), shapeOf(argument)),
    );
    t.true(alike.length > 0, template[1]);
    for (const create of alike) {
      t.is(create.templateId?.moduleName, template[0]);
      t.is(create.signatories.length, signatories.length);
      t.is(create.stakeholders.length, new Set(stakeholders).size);
    }
  }
});

test('the ledger wants the context and the disclosures, and holdings of that registry', async (t) => {
  const on = await registryStage(t);
  const whole = await on.spec();
  const [factory, rules] = [at(whole.disclosed ?? [], 0), at(whole.disclosed ?? [], 1)];
  const other = await on.spec({ instrument: 'EURO' });
  const [demo] = await on.client.active(on.alice, '#cip56-token:CIP56.Token:CIP56Holding');
  const attempts: [string, string, Partial<TransferSpec>][] = [
    ['factory not disclosed', 'CONTRACT_NOT_FOUND', { disclosed: [rules] }],
    ['rules not disclosed', 'CONTRACT_NOT_FOUND', { disclosed: [factory] }],
    ['no context', 'DAML_FAILURE', { context: {} }],
    ['the rules of another', 'DAML_FAILURE', { ...pick(other), instrument: 'USDCx' }],
    ['another token’s holding', 'WRONGLY_TYPED_CONTRACT', { inputs: [demo?.contractId ?? ''] }],
    ['another instrument', 'DAML_FAILURE', { inputs: other.inputs }],
    ['a blob of nothing', 'INVALID_DISCLOSED_CONTRACT', { disclosed: [blob('nothing')] }],
    ['the issuer as admin', 'DAML_FAILURE', { admin: on.sandbox.issuer }],
  ];
  for (const [what, reason, change] of attempts) {
    t.is((await toldOf(on.external.prepare({ ...whole, ...change })))?.errorInfo?.reason, reason, what);
  }
});

test('nothing but its maximum record time bounds a transfer that asks for no time', async (t) => {
  const on = await registryStage(t, 0.005);
  const [late, bounded] = [
    await on.external.prepare(await on.spec(), { maxRecordTime: null }),
    await on.external.prepare(await on.spec({ instrument: 'EURO', commandId: 'c2' }), {
      maxRecordTime: nowMicros() + 200_000,
    }),
  ];
  const deliverLate = { on: 'submit', times: 1, do: { kind: 'deliverLate', ms: 400 } } as const;
  on.sandbox.faults.add(deliverLate);
  await on.external.execute(late, on.signer);
  on.sandbox.faults.add(deliverLate);
  t.is((await toldOf(on.external.execute(bounded, on.signer)))?.errorInfo?.reason, 'NOT_SEQUENCED_TIMEOUT');
  t.is(on.sandbox.audit.summary().accepted, 1);
});

test('faults of the registry: a status, a slow answer, and answers that make no sense', async (t) => {
  const on = await registryStage(t);
  const method = 'Registry/TransferFactory';
  const once = async (action: Parameters<typeof on.sandbox.faults.add>[0]['do']) => {
    on.sandbox.faults.add({ on: method, match: { party: on.alice, receiver: on.bob }, times: 1, do: action });
    return on.ask({});
  };
  t.is((await once({ kind: 'httpStatus', status: 502 })).status, 502);
  t.is((await once({ kind: 'httpStatus', status: 404 })).status, 404);
  const started = performance.now();
  t.is((await once({ kind: 'slow', ms: 50 })).status, 200);
  t.true(performance.now() - started >= 49);
  const honest = JSON.parse((await on.ask({})).text) as FactoryAnswer;
  const wrong = async (what: Extract<Parameters<typeof once>[0], { kind: 'wrongAnswer' }>['what']) =>
    (await once({ kind: 'wrongAnswer', what })).text;
  t.regex(await wrong('noJson'), /^<html>/);
  t.true((await wrong('huge')).length > 1024 * 1024);
  const spoilt = async (what: Parameters<typeof wrong>[0]) => JSON.parse(await wrong(what)) as FactoryAnswer;
  t.false('factoryId' in (await spoilt('noFactory')));
  t.deepEqual((await spoilt('noContext')).choiceContext.choiceContextData.values, {});
  t.deepEqual((await spoilt('noDisclosure')).choiceContext.disclosedContracts, []);
  t.not((await spoilt('otherFactory')).factoryId, honest.factoryId);
  t.is((await spoilt('otherKind')).transferKind, 'offer');
  t.is(on.sandbox.audit.summary().reads[method], 11);
});

const blob = (text: string) => new DisclosedContract({ createdEventBlob: Buffer.from(text) });
const pick = ({ context, disclosed }: TransferSpec): Partial<TransferSpec> => ({
  ...(context ? { context } : {}),
  ...(disclosed ? { disclosed } : {}),
});
