// Whether a dump shows a secret, in whatever form a dump may have: text, or bytes as inspect and JSON write them.

/** The first of these secrets that one of these dumps shows, as `what: dump`; null where none does. */
export function shown(
  dumps: readonly string[],
  secrets: Readonly<Record<string, readonly (string | Uint8Array)[]>>,
): string | null {
  for (const dump of dumps) {
    // inspect aligns numbers in columns.
    const dense = dump.replace(/\s+/g, '');
    for (const [what, texts] of Object.entries(secrets))
      for (const form of texts.flatMap(formsOf))
        if (dump.includes(form) || dense.includes(form)) return `${what}: ${dump.slice(0, 400)}`;
  }
  return null;
}

function formsOf(secret: string | Uint8Array): string[] {
  if (typeof secret === 'string')
    return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const bytes = Buffer.from(secret);
  // A part is too much already.
  const part = [...bytes.subarray(4, 12)];
  return [
    bytes.toString('hex'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    part.join(','),
    part.map((byte, index) => `"${index + 4}":${byte}`).join(','),
    bytes
      .subarray(4, 12)
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1 '),
  ];
}
