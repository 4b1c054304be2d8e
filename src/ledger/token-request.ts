// One request for a token. Whatever goes wrong is told in words that hold neither the secret nor a token.
import { isToken } from './auth.js';
import { fetch } from './fetch.js';

export interface OauthClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
}

export type TokenAnswer =
  /** `lifeMs`: null where it does not say. */
  | { readonly kind: 'token'; readonly token: string; readonly lifeMs: number | null }
  | { readonly kind: 'failed'; readonly detail: string };

/** A token has some 1,000 characters; what is longer than this is a page, or an attack on our memory. */
const ANSWER_MAX_BYTES = 64 * 1024;
const DETAIL_MAX = 300;

/** As canton-middleware asks: JSON, and nothing but a 200 counts. */
export async function requestToken(client: OauthClient, timeoutMs: number): Promise<TokenAnswer> {
  const { tokenUrl, clientId, clientSecret, audience } = client;
  // An authority may well repeat what it was sent. Cut only afterwards: half a secret would not be found.
  const failed = (detail: string): TokenAnswer => ({
    kind: 'failed',
    detail: [clientSecret, encodeURIComponent(clientSecret)]
      .reduce((text, secret) => text.replaceAll(secret, '***'), detail)
      .slice(0, DETAIL_MAX),
  });
  try {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_id: clientId,
        client_secret: clientSecret,
        audience,
        grant_type: 'client_credentials',
      }),
      // The secret goes where the operator said, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await limited(response);
    if (body === null) return failed(`it answers with more than ${ANSWER_MAX_BYTES} bytes`);
    const answer = objectIn(body);
    if (response.status !== 200) return failed(`it answers ${response.status}${words(answer)}`);
    const token = answer?.access_token;
    if (typeof token !== 'string' || !isToken(token)) return failed('its answer holds no access_token');
    return { kind: 'token', token, lifeMs: lifeOf(answer?.expires_in) };
  } catch (error) {
    return failed(reasonOf(error, timeoutMs));
  }
}

async function limited(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > ANSWER_MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The parser's own error is dropped: it quotes what it read. */
function objectIn(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Seconds, as a number or in quotes; zero and less say nothing. */
function lifeOf(expiresIn: unknown): number | null {
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
}

/** OAuth's own two fields for people, and nothing else of the answer. */
function words(answer: Readonly<Record<string, unknown>> | null): string {
  const said = [answer?.error, answer?.error_description]
    .filter((one) => typeof one === 'string')
    .join(': ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u001f\u007f]+/g, ' ');
  return said === '' ? '' : `: ${said}`;
}

/** `fetch failed` says nothing; its cause does, or the last of several. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const cause = error.cause instanceof AggregateError ? error.cause.errors.at(-1) : error.cause;
  const reason = cause instanceof Error ? cause.message : error.message;
  return `it cannot be reached: ${reason}`;
}
