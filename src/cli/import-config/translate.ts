// canton-middleware's configuration → our environment and TOKENS_FILE. Pure. What cannot be told from it becomes a note.
import type { Middleware } from './middleware.js';

export interface TokenEntry {
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  readonly instrumentAdmin: string;
  readonly instrumentId: string;
  readonly registryUrl?: string;
  readonly steps?: 2;
}

export interface Translated {
  readonly env: Readonly<Record<string, string>>;
  readonly tokens: Readonly<Record<string, TokenEntry>>;
  readonly problems: readonly string[];
  /** What a person has to look at, or do. */
  readonly notes: readonly string[];
}

export interface Given {
  /** By symbol: the admins that the file does not name. */
  readonly admins: ReadonlyMap<string, string>;
  readonly environment: NodeJS.ProcessEnv;
  /** Variables that the file mentions and that are not set. */
  readonly unset: readonly string[];
}

const DEFAULT_PACKAGES: Readonly<Record<string, string>> = {
  CIP56_PACKAGE: '#cip56-token',
  HOLDING_PACKAGE: '#splice-api-token-holding-v1',
  TRANSFER_PACKAGE: '#splice-api-token-transfer-instruction-v1',
};

export function translate(config: Middleware, given: Given): Translated {
  const problems: string[] = [];
  const notes: string[] = [];
  const { canton, database, token, eth_rpc, key_management, logging } = config;
  const need = (where: string, value: string): string => {
    if (value === '') problems.push(`${where} is empty${hint(given.unset)}`);
    return value;
  };

  const { tls, auth } = canton.ledger;
  if (tls.insecure_skip_verify)
    notes.push(
      'canton.ledger.tls.insecure_skip_verify has no counterpart: set CANTON_TLS_CA_FILE to the authority that signed the participant’s certificate',
    );
  const oauth = [auth.client_id, auth.client_secret, auth.audience, auth.token_url].some((it) => it !== '');
  const packages = {
    CIP56_PACKAGE: canton.token.cip56_package_id,
    HOLDING_PACKAGE: canton.token.splice_holding_package_id,
    TRANSFER_PACKAGE: canton.token.splice_transfer_package_id,
  };
  const masterKey = given.environment[key_management.master_key_env] ?? '';
  if (masterKey === '')
    notes.push(
      `set CANTON_MASTER_KEY, or CANTON_MASTER_KEY_FILE, to what ${key_management.master_key_env} is for the API: it was not set here`,
    );

  const url = need('canton.ledger.rpc_url', canton.ledger.rpc_url).replace(/^dns:\/+/, '');
  if (oauth && !tls.enabled && !/^(localhost|127\.|\[::1\])/.test(url))
    notes.push(
      'the token would go to the participant in plaintext, so `run` refuses: use TLS, or allow it with ALLOW_PLAINTEXT=canton if the network is protected in another way',
    );
  // As the middleware reads them: without the identity's user both are the token's subject, and the token's user is ignored.
  const subject = canton.identity.user_id === '';
  const user = subject ? '' : canton.token.user_id;
  if (!subject && user === '')
    problems.push(
      `canton.token.user_id is empty, and the old submitter needs it where canton.identity.user_id is set: give the ledger user that it sends as${hint(given.unset)}`,
    );
  notes.push(
    subject
      ? `the old submitter sends as the subject of its token, since canton.identity.user_id is empty${hint(given.unset)}, and so will this one: canton-submitter migrate --old-user same`
      : `the old submitter sends as ${user}, and so will this one: canton-submitter migrate --old-user same`,
  );

  const env: Record<string, string> = {
    DATABASE_URL: withSslMode(need('database.url', database.url), database.ssl_mode),
    CANTON_URL: tls.enabled && !url.startsWith('https://') ? `https://${url}` : url,
    CANTON_TLS_CA_FILE: tls.enabled ? tls.ca_file : '',
    CANTON_TLS_CERT_FILE: tls.enabled ? tls.cert_file : '',
    CANTON_TLS_KEY_FILE: tls.enabled ? tls.key_file : '',
    ...(oauth
      ? {
          CANTON_OAUTH_TOKEN_URL: need('canton.ledger.auth.token_url', auth.token_url),
          CANTON_OAUTH_CLIENT_ID: need('canton.ledger.auth.client_id', auth.client_id),
          CANTON_OAUTH_CLIENT_SECRET: need('canton.ledger.auth.client_secret', auth.client_secret),
          CANTON_OAUTH_AUDIENCE: need('canton.ledger.auth.audience', auth.audience),
        }
      : {}),
    CANTON_USER_ID: user,
    CANTON_SYNCHRONIZER_ID: need('canton.domain_id', canton.domain_id),
    CANTON_ISSUER_PARTY: need('canton.issuer_party', canton.issuer_party),
    CANTON_MASTER_KEY: masterKey,
    ...Object.fromEntries(Object.entries(packages).filter(([name, id]) => id !== DEFAULT_PACKAGES[name])),
    CHAIN_ID: eth_rpc.chain_id,
    LOG_LEVEL: /^(debug|info|warn|error|fatal)$/.test(logging.level) ? logging.level : '',
    LOG_FORMAT: logging.format === 'console' ? 'text' : '',
  };
  const tokens = Object.fromEntries(
    Object.entries(token.supported_tokens).map(([address, one]) => [
      address,
      tokenOf(one, config, given, problems, notes),
    ]),
  );
  return {
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')),
    tokens,
    problems,
    notes,
  };
}

function tokenOf(
  token: Middleware['token']['supported_tokens'][string],
  { canton, token_provider }: Middleware,
  { admins }: Given,
  problems: string[],
  notes: string[],
): TokenEntry {
  const { name, symbol, decimals, instrument_id, external_transfer } = token;
  const external = Object.keys(canton.token.external_tokens);
  const admin =
    admins.get(symbol) ??
    token_provider.indexer.instruments[symbol] ??
    (external_transfer ? (external.length === 1 ? external[0] : undefined) : canton.issuer_party);
  if (admin === undefined)
    problems.push(`the file does not say which party administers ${symbol}: add --admin ${symbol}=PARTY`);
  const registryUrl = canton.token.external_tokens[admin ?? '']?.registry_url;
  if (external_transfer && registryUrl === undefined && admin !== undefined)
    problems.push(`canton.token.external_tokens has no registry_url for ${admin}, the admin of ${symbol}`);
  if (external_transfer)
    notes.push(
      `${symbol}: a transfer may only make an offer, which the old submitter called completed. If that is what you want, add "offerIsDone": true; if its transfers arrive at once, take out "steps". Until then its rows park`,
    );
  if (instrument_id !== '' && instrument_id !== symbol)
    notes.push(
      `${symbol}: the instrument is ${instrument_id} (instrument_id), not its symbol: compare with the ledger`,
    );
  return {
    name,
    symbol,
    decimals,
    instrumentAdmin: admin ?? '',
    instrumentId: instrument_id || symbol,
    ...(registryUrl === undefined ? {} : { registryUrl }),
    ...(external_transfer ? { steps: 2 as const } : {}),
  };
}

const hint = (unset: readonly string[]): string =>
  unset.length === 0 ? '' : ` (not set here: ${unset.join(', ')}; the API's environment has them)`;

/** What the URL says goes first, as in the middleware. */
function withSslMode(url: string, mode: string): string {
  if (url === '' || mode === '' || /[?&]sslmode=/.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}sslmode=${mode}`;
}
