// created_event_blob: opaque to clients, which return it unchanged to disclose a contract.

const PREFIX = 'sandbox created event 1\n';

export function blobOf(contractId: string): Uint8Array {
  return Buffer.from(PREFIX + contractId, 'latin1');
}

export function contractIdOfBlob(blob: Uint8Array): string | undefined {
  const text = Buffer.from(blob).toString('latin1');
  return text.startsWith(PREFIX) ? text.slice(PREFIX.length) : undefined;
}
