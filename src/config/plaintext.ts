// Unencrypted traffic can be read and changed by anybody on the way: a token that moves money, a registry's answer
// about which factory moves a token. So it is refused unless somebody has explicitly allowed it.
import type { Tokens } from '../core/token.js';
import { isLoopback, parseCantonUrl } from '../ledger/url.js';
import { isPlainOutside, type Values } from './checks.js';

export function checkPlaintext(v: Values, tokens: Tokens, problems: string[]): void {
  const allowed = v.ALLOW_PLAINTEXT ?? [];
  const hasToken = v.CANTON_TOKEN_FILE !== undefined || v.CANTON_OAUTH_CLIENT_ID !== undefined;
  if (!allowed.includes('canton') && hasToken && isPlainParticipant(v.CANTON_URL)) {
    problems.push(
      `CANTON_URL ${v.CANTON_URL} is plaintext to another machine, and would carry the token that moves money: write https://host:port, or set ALLOW_PLAINTEXT=canton if that network is safe`,
    );
  }
  if (!allowed.includes('webhook') && v.WEBHOOK_URL !== undefined && isPlainOutside(v.WEBHOOK_URL)) {
    problems.push(
      'WEBHOOK_URL is plain http to another machine, so anybody on the way can read who pays whom: write https://, or set ALLOW_PLAINTEXT=webhook if that network is safe',
    );
  }
  if (allowed.includes('registry')) return;
  for (const { address, registryUrl } of tokens.values()) {
    if (registryUrl === undefined || !isPlainOutside(registryUrl)) continue;
    problems.push(
      `TOKENS_FILE: ${address}: registryUrl is plain http to another machine, so anybody on the way could name another factory: write https://, or set ALLOW_PLAINTEXT=registry if that network is safe`,
    );
  }
}

function isPlainParticipant(text: string): boolean {
  const url = parseCantonUrl(text);
  return url !== null && !url.tls && !isLoopback(url.host);
}
