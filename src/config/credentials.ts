// Who we are, and what decrypts the keys: settings that belong together, and the files they name.
import { tokenSubject } from '../ledger/auth.js';
import type { OauthClient } from '../ledger/oauth.js';
import { MAKE_A_SECRET, webhookSecrets } from '../outbox/signature.js';
import { masterKeyFrom } from '../transfer/key.js';
import { readable, type Values } from './checks.js';
import { hidden } from './secrets.js';
import type { SettingName } from './settings.js';

const OAUTH = [
  'CANTON_OAUTH_TOKEN_URL',
  'CANTON_OAUTH_CLIENT_ID',
  'CANTON_OAUTH_CLIENT_SECRET',
  'CANTON_OAUTH_AUDIENCE',
] as const satisfies readonly SettingName[];

/** Checked even if other settings are wrong, so that all problems are reported together. */
export function checkCredentials(env: NodeJS.ProcessEnv, problems: string[]): void {
  const missing = OAUTH.filter((name) => !env[name]);
  const oauth = missing.length < OAUTH.length || Boolean(env.CANTON_OAUTH_SCOPE);
  if (oauth && missing.length > 0) {
    const verb = missing.length === 1 ? 'is' : 'are';
    problems.push(
      `${missing.join(', ')} ${verb} not set: all four CANTON_OAUTH_* are needed, with or without a scope`,
    );
  }
  if (oauth && env.CANTON_TOKEN_FILE) {
    problems.push('CANTON_TOKEN_FILE and CANTON_OAUTH_* are both set: remove one of them');
  }
  const token = env.CANTON_TOKEN_FILE
    ? readable('CANTON_TOKEN_FILE', env.CANTON_TOKEN_FILE, problems)
    : undefined;
  if (env.CANTON_USER_ID || oauth || token === null) return;
  if (token === undefined) {
    problems.push(
      'CANTON_USER_ID is not set: give the ledger user, or its token through CANTON_TOKEN_FILE or CANTON_OAUTH_*',
    );
  } else if (tokenSubject(token.trim()) === null) {
    problems.push(
      'CANTON_USER_ID is not set, and the token in CANTON_TOKEN_FILE has no subject: set CANTON_USER_ID',
    );
  }
}

/** The key in CANTON_MASTER_KEY_FILE. CANTON_MASTER_KEY is read with the other settings. */
export function masterKeyInFile(env: NodeJS.ProcessEnv, problems: string[]): Uint8Array | null {
  const path = env.CANTON_MASTER_KEY_FILE;
  if (!path) return null;
  if (env.CANTON_MASTER_KEY)
    problems.push('CANTON_MASTER_KEY and CANTON_MASTER_KEY_FILE are both set: remove one of them');
  const text = readable('CANTON_MASTER_KEY_FILE', path, problems);
  const key = text === null ? null : masterKeyFrom(text.trim());
  if (typeof key !== 'string') return key;
  problems.push(`CANTON_MASTER_KEY_FILE ${key}`);
  return null;
}

/** The secrets that webhooks are signed with. Checked even if other settings are wrong. */
export function webhookSecretsOf(env: NodeJS.ProcessEnv, problems: string[]): readonly Buffer[] {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: given, WEBHOOK_SECRET_FILE: path } = env;
  if (given && path) problems.push('WEBHOOK_SECRET and WEBHOOK_SECRET_FILE are both set: remove one of them');
  if (!given && !path) {
    if (url) problems.push(`WEBHOOK_SECRET is not set, and webhooks are signed: ${MAKE_A_SECRET}`);
    return [];
  }
  if (!url) problems.push('WEBHOOK_SECRET is set without WEBHOOK_URL: give both or neither');
  const text = path ? readable('WEBHOOK_SECRET_FILE', path, problems) : (given ?? '');
  if (text === null) return [];
  const secrets = webhookSecrets(text);
  if (typeof secrets !== 'string') return secrets;
  problems.push(`${path ? 'WEBHOOK_SECRET_FILE' : 'WEBHOOK_SECRET'} ${secrets}`);
  return [];
}

/** Null if OAuth is not configured. The secret is not enumerable. */
export function oauthOf(v: Values): OauthClient | null {
  const { CANTON_OAUTH_TOKEN_URL: tokenUrl, CANTON_OAUTH_CLIENT_ID: clientId } = v;
  const { CANTON_OAUTH_CLIENT_SECRET: clientSecret, CANTON_OAUTH_AUDIENCE: audience } = v;
  const scope = v.CANTON_OAUTH_SCOPE;
  return tokenUrl === undefined ||
    clientId === undefined ||
    clientSecret === undefined ||
    audience === undefined
    ? null
    : hidden({ tokenUrl, clientId, audience, ...(scope === undefined ? {} : { scope }) }, { clientSecret });
}
