// Asks the registry of another admin's token, over HTTP, which factory moves the token and what its choice needs. Any
// failure here is blamed on the token, never on the row: the row waits, and others go on.

import type { TransferFactory, TransferTerms } from '../core/transfer.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { callRegistry, registryFailure } from './registry-http.js';
import { registryAnswer, registryQuestion } from './registry-message.js';
import type { LedgerSettings } from './settings.js';

const PATH = '/registry/transfer-instruction/v1/transfer-factory';

/** The answer is valid for this one transfer and is never kept. Only the registry's location is. */
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
