// Keeps secrets from being printed by accident.

/** Adds properties that neither util.inspect nor JSON nor a spread shows. */
export function hidden<T extends object, S extends object>(shown: T, secret: S): T & S {
  const properties = Object.entries(secret).map(([name, value]) => [name, { value, enumerable: false }]);
  return Object.defineProperties({ ...shown }, Object.fromEntries(properties)) as T & S;
}

/** A URL without its password, for people. */
export const withoutPassword = (url: string): string =>
  url.replace(/^(\w+:\/\/[^:@/]*):.*@/, '$1:***@').replace(/([?&](?:ssl)?password=)[^&]*/gi, '$1***');

/**
 * Texts that no log may show, even if somebody put them into an error: tokens, and passwords both as written in a URL
 * and decoded.
 */
export function secretTexts(
  urls: readonly string[],
  ...others: readonly (string | null)[]
): readonly string[] {
  const passwords = urls.flatMap((url) => {
    const written = /^\w+:\/\/[^:@/]*:(.*)@/.exec(url)?.[1] ?? '';
    const asked = [...url.matchAll(/[?&](?:ssl)?password=([^&]*)/gi)].map((match) => match[1] ?? '');
    return [written, ...asked].flatMap((one) => [one, decoded(one)]);
  });
  return [...new Set([...passwords, ...others])].filter((one): one is string => one !== null && one !== '');
}

/** Everything in a configuration that its log must not show. */
export function secretsOf(config: {
  readonly database: { readonly url: string; readonly listenUrl: string };
  readonly admin: { readonly token: string | null } | null;
  readonly canton: { readonly oauth: { readonly clientSecret: string } | null };
  readonly masterKey: Uint8Array | null;
  readonly webhook: { readonly url: string; readonly secrets: readonly Uint8Array[] } | null;
}): readonly string[] {
  const { database, admin, canton, masterKey, webhook } = config;
  const key = masterKey === null ? null : Buffer.from(masterKey);
  return secretTexts(
    [database.url, database.listenUrl],
    admin?.token ?? null,
    canton.oauth?.clientSecret ?? null,
    key?.toString('base64') ?? null,
    key?.toString('hex') ?? null,
    // Some receivers know who calls by their path.
    webhook?.url ?? null,
    ...(webhook?.secrets ?? []).map((secret) => Buffer.from(secret).toString('base64')),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
