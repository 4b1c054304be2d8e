// The settings of webhooks; part of `settings.ts`.
import { httpUrl, integer, milliseconds, optional, secretText, text, withDefault } from './values.js';

export const webhooks = {
  WEBHOOK_URL: optional(
    httpUrl,
    'where this instance delivers outcomes, signed, at least once and in order per sender (docs/outcomes.md); needs `OUTCOMES=webhooks`',
  ),
  WEBHOOK_SECRET: optional(
    secretText,
    'what they are signed with: `whsec_` and base64 of 24 to 64 bytes; several, comma-separated, while the receiver changes to a new one',
    'none; required with `WEBHOOK_URL`',
  ),
  WEBHOOK_SECRET_FILE: optional(text, 'the same, in a file'),
  // What the Standard Webhooks specification recommends at least.
  WEBHOOK_TIMEOUT_MS: withDefault(
    milliseconds(100, 300_000),
    '15000',
    'how long the receiver may take for one. At least 100',
  ),
  // A receiver that comes back is noticed within this time, and one that is down for a day costs 300 requests per instance.
  WEBHOOK_RETRY_MAX_MS: withDefault(
    milliseconds(1),
    '300000',
    'the longest backoff after a failed one; the first is `RETRY_MIN_MS`',
  ),
  // A weekend: somebody will have looked by then.
  WEBHOOK_GIVE_UP_MS: withDefault(
    milliseconds(0, 2_592_000_000),
    '259200000',
    "after so long one is given up (`webhooks list`, `webhooks replay`), and the sender's next is delivered. At most 30 days",
  ),
  WEBHOOK_CONCURRENCY: withDefault(integer(1, 1_000), '16', 'senders whose outcomes are delivered at a time'),
};
