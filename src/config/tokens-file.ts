// TOKENS_FILE: what the ERC-20 contract addresses of rows stand for on the ledger.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Token, Tokens } from '../core/token.js';
import { isAddress, tokenKey } from '../transfer/address.js';
import { isPartyId } from './values.js';

/** Of canton-middleware's API, which accepted the row with them. */
const DECIMALS = z.int('must be a whole number').min(0, 'must be 0 to 18').max(18, 'must be 0 to 18');
const TEXT = z.string('must be a text').min(1, 'must not be empty');

const entry = z.strictObject({
  name: TEXT,
  symbol: TEXT,
  decimals: DECIMALS,
  instrumentAdmin: TEXT.refine(isPartyId, 'must be a party id, name::1220…'),
  instrumentId: TEXT,
  registryUrl: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  steps: z.union([z.literal(1), z.literal(2)], 'must be 1 or 2').default(1),
  offerIsDone: z.boolean('must be true or false').default(false),
  takesExpiredLocks: z.boolean('must be true or false').optional(),
  maxInputs: z.int('must be a whole number').min(1, 'must be 1 or more').optional(),
});

type Loaded = { readonly tokens: Tokens } | { readonly problems: readonly string[] };

export function loadTokens(path: string): Loaded {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const what = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    return { problems: [`TOKENS_FILE ${path} ${what}: ${reason}`] };
  }
  return parseTokens(content, `TOKENS_FILE ${path}`);
}

export function parseTokens(content: unknown, source: string): Loaded {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return { problems: [`${source} must hold an object: {"0x…": {"name": …}}`] };
  }
  const problems: string[] = [];
  const tokens = new Map<string, Token>();
  for (const [address, value] of Object.entries(content)) {
    const where = `${source}: ${address}`;
    if (!isAddress(address)) problems.push(`${where} is no contract address: 0x and 40 hex digits`);
    else if (tokens.has(tokenKey(address)))
      problems.push(`${where} is there twice, in different case: keep one`);
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => `${where}: ${said(issue)}`));
      continue;
    }
    const { registryUrl, takesExpiredLocks, maxInputs, ...rest } = parsed.data;
    tokens.set(tokenKey(address), {
      address,
      ...rest,
      ...(registryUrl === undefined ? {} : { registryUrl }),
      ...(takesExpiredLocks === undefined ? {} : { takesExpiredLocks }),
      ...(maxInputs === undefined ? {} : { maxInputs }),
    });
  }
  return problems.length > 0 ? { problems } : { tokens };
}

function said(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `${issue.keys.join(', ')} ${issue.keys.length === 1 ? 'is no field' : 'are no fields'} of a token (${Object.keys(entry.shape).join(', ')})`;
  }
  return issue.path.length === 0 ? 'must be an object' : `${issue.path.join('.')} ${issue.message}`;
}
