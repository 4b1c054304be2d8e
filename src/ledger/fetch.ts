// `fetch` that trusts the authorities NODE_EXTRA_CA_CERTS names now, not only those it named when the process
// started.
import { Agent, fetch as undiciFetch } from 'undici';
import { extraVersion, renewedAuthorities } from './trust.js';

let agent: { readonly version: string; readonly agent: Agent } | null = null;

/** Undefined: nothing has been renewed since the start. */
function dispatcher(): Agent | undefined {
  const version = extraVersion();
  if (agent?.version === version) return agent.agent;
  const ca = renewedAuthorities();
  if (ca === null) return undefined;
  const before = agent;
  agent = { version, agent: new Agent({ connect: { ca } }) };
  void before?.agent.close();
  return agent.agent;
}

/** Like the global `fetch`; every error it throws has a cause. */
export const fetch: typeof globalThis.fetch = async (input, init) => {
  const through = dispatcher();
  const options = { ...init, ...(through === undefined ? {} : { dispatcher: through }) };
  // The implementation that Node itself uses, but with its own type declarations.
  const response = await undiciFetch(input as string, options as Parameters<typeof undiciFetch>[1]);
  return response as unknown as Response;
};

/** The body as text; null if it is longer than `maxBytes`, and then the rest is not read. */
export async function textUpTo(maxBytes: number, { body }: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
