// What goes over a network unencrypted, anybody on the way reads and changes: a token that moves money, a registry's word
// on which factory takes it. So that it happens only where somebody has said that it may.
import type { Tokens } from '../core/token.js';
import { isLoopback, parseCantonUrl } from '../ledger/url.js';
import { isPlainOutside, type Values } from './checks.js';

export function checkPlaintext(v: Values, tokens: Tokens, problems: string[]): void {
  const allowed = v.ALLOW_PLAINTEXT ?? [];
  const hasToken = v.CANTON_TOKEN_FILE !== undefined || v.CANTON_OAUTH_CLIENT_ID !== undefined;
  if (!allowed.includes('canton') && hasToken && isPlainParticipant(v.CANTON_URL)) {
    problems.push(
      `CANTON_URL ${v.CANTON_URL} is plaintext to another machine, and the token that moves money would go over it: write https://host:port, or set ALLOW_PLAINTEXT=canton where that network is safe`,
    );
  }
  if (allowed.includes('registry')) return;
  for (const { address, registryUrl } of tokens.values()) {
    if (registryUrl === undefined || !isPlainOutside(registryUrl)) continue;
    problems.push(
      `TOKENS_FILE: ${address}: registryUrl is plain http to another machine, which could name any factory on the way: write https://, or set ALLOW_PLAINTEXT=registry where that network is safe`,
    );
  }
}

function isPlainParticipant(text: string): boolean {
  const url = parseCantonUrl(text);
  return url !== null && !url.tls && !isLoopback(url.host);
}
