// TOKENS_FILE: which tokens on the ledger the rows' ERC-20 contract addresses stand for.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { HoldingLayout, Token, Tokens } from '../core/token.js';
import { isAddress, tokenKey } from '../transfer/address.js';
import { isPartyId } from './values.js';

/** canton-middleware's API, which accepted the row, has these limits. */
const DECIMALS = z.int('must be a whole number').min(0, 'must be 0 to 18').max(18, 'must be 0 to 18');
const TEXT = z.string('must be a string').min(1, 'must not be empty');

const PATH = TEXT.regex(/^[A-Za-z_$][\w$']*(\.[A-Za-z_$][\w$']*)*$/, 'must be a path of labels, a.b.c');

/**
 * Where a holding keeps the fields that a transfer depends on. The ledger fixes their types; a field of another type
 * is not signed.
 */
const layout = z.strictObject({
  template: TEXT.regex(/^[A-Z][\w.']*:[A-Z][\w']*$/, 'must be Module:Entity, without a package'),
  owner: PATH,
  amount: PATH,
  admin: PATH,
  id: PATH.optional(),
  lock: PATH.optional(),
});

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
  holding: layout.optional(),
});

type Loaded = { readonly tokens: Tokens } | { readonly problems: readonly string[] };

export function loadTokens(path: string): Loaded {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const what = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    return { problems: [`TOKENS_FILE ${path} ${what}: ${reason}`] };
  }
  return parseTokens(content, `TOKENS_FILE ${path}`);
}

/** For what only shows amounts: without the file, or where it is wrong, everything else is shown all the same. */
export function tokensToShow(path: string | undefined): {
  readonly tokens: Tokens;
  readonly warnings: readonly string[];
} {
  if (!path) return { tokens: new Map(), warnings: [] };
  const loaded = loadTokens(path);
  return 'tokens' in loaded
    ? { ...loaded, warnings: [] }
    : {
        tokens: new Map(),
        warnings: loaded.problems.map((problem) => `${problem}: amounts are shown in the smallest unit`),
      };
}

/** Addresses of the one-step tokens, which is all that the database needs to know. Null without a file. */
export function oneStepTokens(path: string | undefined, problems: string[]): readonly string[] | null {
  if (!path) return null;
  const loaded = loadTokens(path);
  if ('tokens' in loaded) {
    return [...loaded.tokens.values()].flatMap(({ steps, address }) => (steps === 1 ? [address] : []));
  }
  problems.push(...loaded.problems);
  return null;
}

export function parseTokens(content: unknown, source: string): Loaded {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return { problems: [`${source} must contain an object: {"0x…": {"name": …}}`] };
  }
  const problems: string[] = [];
  const tokens = new Map<string, Token>();
  for (const [address, value] of Object.entries(content)) {
    const where = `${source}: ${address}`;
    if (!isAddress(address)) problems.push(`${where} is not a contract address: write 0x and 40 hex digits`);
    else if (tokens.has(tokenKey(address)))
      problems.push(`${where} appears twice, spelled differently: keep one`);
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => `${where}: ${said(issue)}`));
      continue;
    }
    const { registryUrl, takesExpiredLocks, maxInputs, holding, ...rest } = parsed.data;
    tokens.set(tokenKey(address), {
      address,
      ...rest,
      ...(registryUrl === undefined ? {} : { registryUrl }),
      ...(takesExpiredLocks === undefined ? {} : { takesExpiredLocks }),
      ...(maxInputs === undefined ? {} : { maxInputs }),
      ...(holding === undefined ? {} : { holding: layoutOf(holding) }),
    });
  }
  return problems.length > 0 ? { problems } : { tokens };
}

function layoutOf({ id, lock, ...rest }: z.infer<typeof layout>): HoldingLayout {
  return { ...rest, ...(id === undefined ? {} : { id }), ...(lock === undefined ? {} : { lock }) };
}

function said(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const [what, shape] = issue.path[0] === 'holding' ? ['holding', layout.shape] : ['a token', entry.shape];
    return `${issue.keys.join(', ')} ${issue.keys.length === 1 ? 'is not a field' : 'are not fields'} of ${what} (${Object.keys(shape).join(', ')})`;
  }
  return issue.path.length === 0 ? 'must be an object' : `${issue.path.join('.')} ${issue.message}`;
}
