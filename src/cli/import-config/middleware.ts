// The part of canton-middleware's API configuration that says where database, participant and tokens are. Pure.
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

const text = z.coerce.string().default('');
const section = <S extends z.ZodRawShape>(shape: S) => z.object(shape).prefault({} as never);

/** Defaults as its own: what the file leaves out is there all the same. Other keys are the API's affair. */
const schema = z.object({
  database: z.object({ url: text, ssl_mode: text }),
  canton: z.object({
    domain_id: text,
    issuer_party: text,
    ledger: z.object({
      rpc_url: text,
      tls: section({
        enabled: z.boolean().default(false),
        cert_file: text,
        key_file: text,
        ca_file: text,
        insecure_skip_verify: z.boolean().default(false),
      }),
      auth: section({ client_id: text, client_secret: text, audience: text, token_url: text }),
    }),
    identity: section({ user_id: text }),
    token: section({
      user_id: text,
      cip56_package_id: text,
      splice_holding_package_id: text,
      splice_transfer_package_id: text,
      external_tokens: z.record(z.string(), z.object({ registry_url: text })).default({}),
    }),
  }),
  token: z.object({
    supported_tokens: z.record(
      z.string(),
      z.object({
        name: z.string(),
        symbol: z.string(),
        decimals: z.number(),
        instrument_id: text,
        external_transfer: z.boolean().default(false),
      }),
    ),
  }),
  token_provider: section({
    indexer: section({ instruments: z.record(z.string(), z.string()).default({}) }),
  }),
  eth_rpc: section({ chain_id: text }),
  key_management: section({ master_key_env: z.string().default('CANTON_MASTER_KEY') }),
  logging: section({ level: text, format: text }),
});

export type Middleware = z.infer<typeof schema>;

export type MiddlewareRead =
  | { readonly kind: 'read'; readonly config: Middleware; readonly unset: readonly string[] }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

export function readMiddleware(yaml: string, env: NodeJS.ProcessEnv): MiddlewareRead {
  const { expanded, unset } = expand(yaml, env);
  let content: unknown;
  try {
    content = parse(expanded);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    // Its message shows the line, and a secret may be in it.
    const [at] = error.linePos ?? [];
    return {
      kind: 'wrong',
      problems: [`not YAML: ${error.code}${at === undefined ? '' : ` in line ${at.line}, column ${at.col}`}`],
    };
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return { kind: 'read', config: parsed.data, unset };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  return { kind: 'wrong', problems: [...problems, 'is this the configuration of the API server?'] };
}

/** `${NAME}` and `$NAME` before the file is parsed, as Go's os.ExpandEnv does it: what is not set is empty. */
function expand(text: string, env: NodeJS.ProcessEnv): { expanded: string; unset: readonly string[] } {
  const unset = new Set<string>();
  const expanded = text.replaceAll(/\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))/g, (_, braced, bare) => {
    const name = String(braced ?? bare);
    const value = env[name];
    if (!value) unset.add(name);
    return value ?? '';
  });
  return { expanded, unset: [...unset] };
}
