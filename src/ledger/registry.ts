// The registry of another admin's token, over HTTP: which factory moves it, and what its choice has to be told. Whatever
// goes wrong here is the token's trouble, never the row's: it waits, and others go on.
import type { CallOptions, Read } from '../core/ports.js';
import type { TransferFactory, TransferTerms } from '../core/transfer.js';
import { limited } from '../runtime/limit.js';
import { localFailure } from './call.js';
import type { LocalErrorId } from './classify.js';
import { fetch } from './fetch.js';
import { registryAnswer, registryQuestion } from './registry-message.js';
import type { LedgerSettings } from './settings.js';

/** As canton-middleware has it: long enough for any registry, and nothing is under way meanwhile. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
/** A day: more is no wait but a mistake. */
const RETRY_MAX_S = 86_400;

type RegistryFactory = Extract<TransferFactory, { kind: 'registry' }>;

/**
 * A POST without any token of ours, to where the operator said and nowhere else: a redirect is not followed. The
 * answer is for this very transfer, and is never kept.
 */
export async function registryFactory(
  settings: Pick<LedgerSettings, 'synchronizerId'>,
  registryUrl: string,
  terms: TransferTerms,
  options: CallOptions,
): Promise<Read<RegistryFactory>> {
  const given = options.signal === undefined ? [] : [options.signal];
  const timeoutMs = Math.max(0, Math.min(TIMEOUT_MS, options.timeoutMs));
  return await limited(given, timeoutMs, (signal) => ask(settings, registryUrl, terms, options, signal));
}

async function ask(
  settings: Pick<LedgerSettings, 'synchronizerId'>,
  registryUrl: string,
  terms: TransferTerms,
  options: CallOptions,
  signal: AbortSignal,
): Promise<Read<RegistryFactory>> {
  try {
    const response = await fetch(endpoint(registryUrl, terms.admin), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(registryQuestion(terms)),
      redirect: 'manual',
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return refusedWith(response);
    }
    const text = await bounded(response);
    if (text === null) return failed('REGISTRY_UNREADABLE', `its answer is longer than ${MAX_BYTES} bytes`);
    const answer = registryAnswer(text, settings.synchronizerId);
    return answer.kind === 'unreadable'
      ? failed('REGISTRY_UNREADABLE', answer.what)
      : { kind: 'read', value: answer.factory };
  } catch (error) {
    // Ours to end: a lease lost, a stop. It says nothing of the registry.
    if (options.signal?.aborted)
      return localFailure('CALL_ABORTED', 'aborted before the registry answered', false);
    return failed('REGISTRY_UNAVAILABLE', signal.aborted ? 'it did not answer in time' : causeOf(error));
  }
}

const endpoint = (registryUrl: string, admin: string): string =>
  `${registryUrl.replace(/\/+$/, '')}/api/token-standard/v0/registrars/${encodeURIComponent(admin)}/registry/transfer-instruction/v1/transfer-factory`;

/** Null beyond the cap, without having read the rest. */
async function bounded(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Overloaded, or broken: it may pass. Anything else but 200 is an answer, and it is no. */
function refusedWith(response: Response): Read<never> {
  const passing = response.status >= 500 || response.status === 429 || response.status === 408;
  const after = /^\d{1,5}$/.exec(response.headers.get('retry-after') ?? '')?.[0];
  const seconds = after === undefined ? null : Math.min(Number(after), RETRY_MAX_S);
  const detail = `it answered ${response.status}`;
  return failed(passing ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_REFUSED', detail, seconds && seconds * 1000);
}

const failed = (errorId: LocalErrorId, what: string, retryAfterMs: number | null = null): Read<never> => ({
  kind: 'failed-read',
  refusal: {
    kind: 'not-the-row',
    blame: 'token',
    errorId,
    detail: `the token's registry: ${what}`,
    retryAfterMs,
  },
  pruned: false,
});

/** The error's own message may carry the URL, and a URL may carry a password: only its cause is told. */
function causeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === 'string' ? `it cannot be reached (${cause.code})` : 'it cannot be reached';
}
