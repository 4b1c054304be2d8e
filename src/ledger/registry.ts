// The registry of another admin's token, over HTTP: which factory moves it, and what its choice has to be told. Whatever
// goes wrong here is the token's trouble, never the row's: it waits, and others go on.

import type { TransferFactory, TransferTerms } from '../core/transfer.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { callRegistry, registryFailure } from './registry-http.js';
import { registryAnswer, registryQuestion } from './registry-message.js';
import type { LedgerSettings } from './settings.js';

const PATH = '/registry/transfer-instruction/v1/transfer-factory';

/** The answer is for this very transfer, and is never kept; only where the registry is, is. */
export async function registryFactory(
  settings: Pick<LedgerSettings, 'synchronizerId'>,
  registryUrl: string,
  terms: TransferTerms,
  options: CallOptions,
  known = new Map<string, string>(),
): Promise<Read<Extract<TransferFactory, { kind: 'registry' }>>> {
  const place = { url: registryUrl, admin: terms.admin, known };
  const reply = await callRegistry(place, { path: PATH, body: registryQuestion(terms) }, options);
  if (reply.kind === 'failed-read') return reply;
  if (reply.value.kind === 'not-there') return registryFailure('REGISTRY_REFUSED', 'it answered 404');
  const answer = registryAnswer(reply.value.text, settings.synchronizerId);
  return answer.kind === 'unreadable'
    ? registryFailure('REGISTRY_UNREADABLE', answer.what)
    : { kind: 'read', value: answer.factory };
}
