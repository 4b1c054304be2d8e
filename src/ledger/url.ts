// CANTON_URL: `host:port` in plaintext, or `https://host:port`.
const URL = /^(https:\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})\/?$/;

export interface CantonUrl {
  /** An IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Null: not in that form. */
export function parseCantonUrl(text: string): CantonUrl | null {
  const [, scheme, host = '', digits] = URL.exec(text) ?? [];
  const port = Number(digits);
  return host !== '' && port <= 65_535 ? { host, port, tls: scheme !== undefined } : null;
}

export const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host);
