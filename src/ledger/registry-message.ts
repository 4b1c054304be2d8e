// What a registry is asked and what it answers: the token standard's JSON, read without trust. Pure.
import { z } from 'zod';
import { formatDecimal } from '../core/decimal.js';
import type { Micros } from '../core/ids.js';
import type { Disclosure, TransferFactory, TransferTerms } from '../core/transfer.js';
import { choiceContext as contextOf } from './registry-context.js';

/** The choice's argument as JSON, with empty context and metadata, and whole seconds, as canton-middleware asks. */
export function registryQuestion(terms: TransferTerms): object {
  const nothing = { values: {} };
  return {
    choiceArguments: {
      expectedAdmin: terms.admin,
      transfer: {
        sender: terms.sender,
        receiver: terms.receiver,
        amount: formatDecimal(terms.amount),
        instrumentId: { admin: terms.admin, id: terms.instrumentId },
        inputHoldingCids: terms.holdings,
        meta: nothing,
        executeBefore: rfc3339(terms.executeBefore),
        requestedAt: rfc3339(terms.requestedAt),
      },
      extraArgs: { context: nothing, meta: nothing },
    },
    excludeDebugFields: false,
  };
}

const rfc3339 = (micros: Micros): string => `${new Date(Number(micros / 1000n)).toISOString().slice(0, 19)}Z`;

export type RegistryAnswer =
  | { readonly kind: 'factory'; readonly factory: Extract<TransferFactory, { kind: 'registry' }> }
  | { readonly kind: 'unreadable'; readonly what: string };

/** The ledger's own strings are no longer. */
const TEXT = z.string().min(1).max(255);

/** `package:Module.Name:Entity`, or the three parts by name. */
const TEMPLATE_ID = z.union([
  z
    .string()
    .regex(/^[^:]+:[^:]+:[^:]+$/)
    .transform((text) => {
      const [packageId = '', moduleName = '', entityName = ''] = text.split(':');
      return { packageId, moduleName, entityName };
    }),
  z.object({ packageId: TEXT, moduleName: TEXT, entityName: TEXT }),
  z.object({ package_id: TEXT, module_name: TEXT, entity_name: TEXT }).transform((one) => ({
    packageId: one.package_id,
    moduleName: one.module_name,
    entityName: one.entity_name,
  })),
]);

const ANSWER = z.object({
  factoryId: TEXT,
  transferKind: z.enum(['direct', 'self', 'offer']).nullish(),
  choiceContext: z.object({
    choiceContextData: z.object({ values: z.record(z.string(), z.unknown()).nullish() }),
    disclosedContracts: z.array(
      z.object({
        contractId: TEXT,
        templateId: TEMPLATE_ID,
        createdEventBlob: z.base64().min(1),
        synchronizerId: z.string().nullish(),
      }),
    ),
  }),
});

/**
 * An answer that is not fully understood is refused: with half a context it would be another transfer than the
 * registry meant.
 */
export function registryAnswer(text: string, synchronizerId: string): RegistryAnswer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return unreadable('its answer is not JSON');
  }
  const parsed = ANSWER.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return unreadable(`${issue?.path.join('.') || 'its answer'} does not follow the token standard`);
  }
  const { factoryId, transferKind, choiceContext } = parsed.data;
  const context = contextOf(choiceContext.choiceContextData.values ?? {});
  if (context === null) return unreadable('its choice context contains a value of an unknown kind');
  const disclosed = choiceContext.disclosedContracts.map(
    (one): Disclosure => ({
      contractId: one.contractId,
      templateId: one.templateId,
      createdEventBlob: Buffer.from(one.createdEventBlob, 'base64'),
      synchronizerId: one.synchronizerId || synchronizerId,
    }),
  );
  if (new Set(disclosed.map(({ contractId }) => contractId)).size < disclosed.length) {
    return unreadable('its answer discloses a contract twice');
  }
  return {
    kind: 'factory',
    factory: {
      kind: 'registry',
      contractId: factoryId,
      context,
      disclosed,
      transferKind: transferKind ?? null,
    },
  };
}

const unreadable = (what: string): RegistryAnswer => ({ kind: 'unreadable', what });
