// The registrar's registry, as the token standard defines it: which factory moves a transfer, with which context, and
// the contracts that only the registrar sees.
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { isFactory } from '../daml/contracts.js';
import { packageId, templates } from '../daml/packages.js';
import { choiceContext, transferKind } from '../daml/registry.js';
import type { FaultAction } from '../fault-schema.js';
import { find } from '../faults.js';
import { blobOf } from '../grpc/blob.js';
import type { Host } from '../host.js';
import type { Contract } from '../model/records.js';
import { serveMetadata } from './registry-metadata.js';

const REGISTRY_METHOD = 'Registry/TransferFactory';

/** A Utility registry serves many registrars on one host, Splice's only its own, at the root. */
const PREFIX = { utility: '/api/token-standard/v0/registrars/:admin', root: '' };
const FACTORY = '/registry/transfer-instruction/v1/transfer-factory';

/** The arguments it looks at; the other ones concern only the ledger. */
const requestSchema = z.object({
  choiceArguments: z.object({
    expectedAdmin: z.string(),
    transfer: z.object({
      sender: z.string(),
      receiver: z.string(),
      amount: z.string(),
      instrumentId: z.object({ admin: z.string(), id: z.string() }),
      inputHoldingCids: z.array(z.string()),
      requestedAt: z.string(),
      executeBefore: z.string(),
    }),
    extraArgs: z.object({
      context: z.object({ values: z.record(z.string(), z.unknown()) }),
      meta: z.object({ values: z.record(z.string(), z.string()) }),
    }),
  }),
  excludeDebugFields: z.boolean().optional(),
});

type Request = z.infer<typeof requestSchema>;

export function serveRegistry(server: FastifyInstance, host: Host): void {
  const prefix = PREFIX[host.settings.registryPath];
  serveMetadata(server, host, prefix);
  server.post<{ Params: { admin?: string } }>(`${prefix}${FACTORY}`, async (request, reply) => {
    host.audit.read(REGISTRY_METHOD);
    const body = requestSchema.parse(request.body);
    const { sender, receiver } = body.choiceArguments.transfer;
    const actions = host.faults.take({
      method: REGISTRY_METHOD,
      submits: false,
      parties: [sender],
      receivers: [receiver],
    });
    const status = find(actions, 'refuse') ? 503 : find(actions, 'httpStatus')?.status;
    if (status !== undefined)
      return reply.code(status).send({ error: 'asked for by a fault of the sandbox' });
    if (find(actions, 'hang')) return reply.hijack();
    await new Promise<void>((resolve) => host.timers.after(find(actions, 'slow')?.ms ?? 0, resolve));
    const answer = transferFactory(request.params.admin ?? host.identity.registrar, body, host);
    if (!answer)
      return reply.code(404).send({ error: 'there is no such registrar, or it has no such instrument' });
    const whole = find(actions, 'moreContext') ? withMoreContext(answer) : answer;
    return send(reply, spoilt(whole, find(actions, 'wrongAnswer')?.what));
  });
}

function transferFactory(admin: string, { choiceArguments }: Request, { participant }: Host) {
  const { state, settings } = participant;
  const { transfer } = choiceArguments;
  const own = (kind: 'utilityFactory' | 'amuletFactory' | 'depositFactory' | 'utilityRules') => [
    ...state.contracts.activeAt(admin, kind, state.end),
  ];
  const factory = [...own('utilityFactory'), ...own('amuletFactory'), ...own('depositFactory')].find(
    ({ payload }) => isFactory(payload) && payload.admin === admin,
  );
  for (const rules of own('utilityRules')) {
    const { payload } = rules;
    if (!factory || payload.kind !== 'utilityRules') continue;
    if (payload.instrumentId.id !== transfer.instrumentId.id || transfer.instrumentId.admin !== admin)
      continue;
    return {
      factoryId: factory.id,
      transferKind: transferKind(transfer, payload),
      choiceContext: {
        choiceContextData: { values: Object.fromEntries(choiceContext(rules.id)) as Record<string, unknown> },
        disclosedContracts: [factory, rules].map((it) => disclosure(it, settings.synchronizerId)),
      },
    };
  }
  return undefined;
}

function disclosure({ id, payload }: Contract, synchronizerId: string) {
  const { packageName, module, entity } = templates[payload.kind];
  return {
    templateId: `${packageId(packageName)}:${module}:${entity}`,
    contractId: id,
    createdEventBlob: Buffer.from(blobOf(id)).toString('base64'),
    synchronizerId,
  };
}

type Answer = NonNullable<ReturnType<typeof transferFactory>>;

/** As Daml's JSON writes them. */
const EVERY_KIND: Readonly<Record<string, unknown>> = {
  AV_Text: 'a text',
  AV_Int: '-9007199254740991',
  AV_Decimal: '0.0000000001',
  AV_Bool: false,
  AV_Date: '2024-02-29',
  AV_Time: '2024-02-29T23:59:59.123456Z',
  AV_RelTime: { microseconds: '86400000000' },
  AV_Party: 'somebody::1220',
  AV_List: [{ tag: 'AV_Date', value: '0001-01-01' }],
  AV_Map: { key: { tag: 'AV_Time', value: '9999-12-31T23:59:59Z' } },
};

function withMoreContext(answer: Answer): Answer {
  const more = Object.entries(EVERY_KIND).map(([tag, value]) => [`sandbox/${tag}`, { tag, value }] as const);
  const { choiceContextData } = answer.choiceContext;
  const values = { ...choiceContextData.values, ...Object.fromEntries(more) };
  return { ...answer, choiceContext: { ...answer.choiceContext, choiceContextData: { values } } };
}

type Spoiling = Extract<FaultAction, { kind: 'wrongAnswer' }>['what'];

function spoilt(answer: Answer, what: Spoiling | undefined): unknown {
  const { factoryId, choiceContext } = answer;
  switch (what) {
    case undefined:
      return answer;
    case 'noJson':
      return '<html>one moment please</html>';
    case 'noFactory':
      return { ...answer, factoryId: undefined };
    case 'noContext':
      return { ...answer, choiceContext: { ...choiceContext, choiceContextData: { values: {} } } };
    case 'noDisclosure':
      return { ...answer, choiceContext: { ...choiceContext, disclosedContracts: [] } };
    case 'otherFactory':
      return { ...answer, factoryId: `${factoryId.slice(0, 2)}${'ab'.repeat(32)}${factoryId.slice(66)}` };
    case 'otherKind':
      return { ...answer, transferKind: answer.transferKind === 'offer' ? 'direct' : 'offer' };
    case 'huge':
      return { ...answer, debug: 'x'.repeat(2 * 1024 * 1024) };
  }
}

function send(reply: FastifyReply, answer: unknown): FastifyReply {
  return typeof answer === 'string' ? reply.type('text/html').send(answer) : reply.send(answer);
}
