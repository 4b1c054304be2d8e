// Signatures as Standard Webhooks 1.0.0 has them (standardwebhooks.com), so that a receiver verifies with any of its libraries.
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** The specification's. */
const KEY_BYTES = { least: 24, most: 64 };

export const MAKE_A_SECRET = 'make one with `echo "whsec_$(openssl rand -base64 32)"`';

/**
 * Secrets as they are configured, separated by commas, spaces or lines: the receiver's current one first. All of them sign, so
 * that a receiver can change from one to the other at any moment. Text: what is wrong, without showing a secret.
 */
export function webhookSecrets(text: string): readonly Buffer[] | string {
  const given = text.split(/[\s,]+/).filter((one) => one !== '');
  if (given.length === 0) return `is empty: ${MAKE_A_SECRET}`;
  const keys = given.map(keyOf);
  const odd = keys.indexOf(null);
  return odd < 0
    ? keys.filter((key) => key !== null)
    : `${given.length === 1 ? '' : `(number ${odd + 1}) `}must be whsec_ and the base64 of 24 to 64 bytes: ${MAKE_A_SECRET}`;
}

function keyOf(text: string): Buffer | null {
  const encoded = text.slice(PREFIX.length);
  // Node decodes whatever it can; a key cut short by a typing error has to be noticed here.
  if (!text.startsWith(PREFIX) || !/^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/.test(encoded))
    return null;
  const key = Buffer.from(encoded, 'base64');
  return key.length < KEY_BYTES.least || key.length > KEY_BYTES.most ? null : key;
}

export interface SignedMessage {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** `seconds`: of this attempt, since the epoch. */
export function signed(
  secrets: readonly Uint8Array[],
  message: { readonly id: string; readonly seconds: number; readonly body: string },
): SignedMessage {
  const timestamp = String(message.seconds);
  const content = `${message.id}.${timestamp}.${message.body}`;
  const signatures = secrets.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
