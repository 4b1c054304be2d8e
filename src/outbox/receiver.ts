// One attempt to hand a message to the receiver of webhooks.
import { fetch, textUpTo } from '../ledger/fetch.js';
import type { DeliveryAttempt, TransferOutcome } from '../ports/outbox.js';
import { limited } from '../runtime/limit.js';
import { bodyOf } from './message.js';
import { signed } from './signature.js';

export interface Receiver {
  /** `seconds`: the time of this attempt. Never rejects. */
  post(outcome: TransferOutcome, seconds: number, signal: AbortSignal): Promise<DeliveryAttempt>;
}

export interface ReceiverOptions {
  readonly url: string;
  readonly secrets: readonly Uint8Array[];
  readonly timeoutMs: number;
}

/** What an error page may add to the reason. */
const SAID_MAX = 2_000;
const REASON_MAX = 300;
/** A receiver that asks for more is asked again all the same. */
const RETRY_AFTER_MAX_MS = 3_600_000;

export function createReceiver({ url, secrets, timeoutMs }: ReceiverOptions): Receiver {
  return {
    async post(outcome, seconds, stop) {
      const body = bodyOf(outcome);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'canton-submitter',
        ...signed(secrets, { id: outcome.id, seconds, body }),
      };
      try {
        return await limited([stop], timeoutMs, async (signal) => {
          // A redirect is a failure: what is signed for one address is not sent to another.
          const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
          if (response.ok) {
            await response.body?.cancel();
            return { kind: 'delivered', status: response.status };
          }
          return await refusal(response);
        });
      } catch (error) {
        const reason = stop.aborted ? 'this instance is stopping' : reasonOf(error, timeoutMs);
        return { kind: 'failed', status: null, reason, retryAfterMs: null };
      }
    },
  };
}

async function refusal(response: Response): Promise<DeliveryAttempt> {
  const said = ((await textUpTo(SAID_MAX, response)) ?? '').replace(/\s+/g, ' ').trim();
  const hint = HINTS[response.status] ?? '';
  const reason = [`HTTP ${response.status}`, said, hint].filter((one) => one !== '').join(': ');
  return {
    kind: 'failed',
    status: response.status,
    reason: reason.slice(0, REASON_MAX),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  };
}

const MOVED = 'a redirect is not followed: set WEBHOOK_URL to the new address';
const HINTS: Readonly<Record<number, string>> = {
  301: MOVED,
  302: MOVED,
  307: MOVED,
  308: MOVED,
  410: 'the receiver wants no more of them: set WEBHOOK_URL to another one, or pin --outcomes consumers',
};

/** Seconds; a date would have to be compared with the machine's clock, and is left to the backoff. */
const retryAfterMs = (header: string | null): number | null =>
  header !== null && /^\d{1,9}$/.test(header) ? Math.min(Number(header) * 1_000, RETRY_AFTER_MAX_MS) : null;

/** What `fetch` throws says little; its cause says what happened. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'AbortError') return `no answer within ${timeoutMs} ms`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message || cause.name : String(cause);
  return `no answer: ${message}`.slice(0, REASON_MAX);
}
