// Talks to a running sandbox over HTTP, since it is a separate process.
import { parseDecimal } from '../../core/decimal.js';
import { CommandRefused, ConfigError } from '../../core/errors.js';

export interface AuditLine {
  readonly commandId: string;
  /** When the submission arrived, in ms since the epoch. */
  readonly at: number;
  readonly outcome: { readonly kind: string };
}

export interface WantedParty {
  readonly hint: string;
  /** External: it signs for itself. Otherwise the participant acts for it. */
  readonly external: boolean;
}

export interface SandboxParty {
  readonly party: string;
  /** An external party's key, 32 bytes as hex. */
  readonly privateKey: string | null;
}

export interface SandboxAt {
  /** Creates parties with this much of each token, in order. */
  createParties(
    wanted: readonly WantedParty[],
    tokens: readonly string[],
    amount: string,
  ): Promise<SandboxParty[]>;
  audit(): Promise<AuditLine[]>;
  summary(): Promise<{ readonly ledgerCalls: number; readonly doubleCommits: number }>;
  /** By token, in units of 10^-10. */
  balances(party: string): Promise<ReadonlyMap<string, bigint>>;
}

export function sandboxAt(url: string): SandboxAt {
  const ask = async (path: string, body?: unknown): Promise<Response> => {
    const reply = await fetch(
      `${url}${path}`,
      body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    ).catch((error: unknown) => {
      throw new ConfigError([
        `no sandbox answers at ${url} (${reasonOf(error)}): start one, or give its --url`,
      ]);
    });
    if (!reply.ok)
      throw new CommandRefused(`the sandbox refuses ${path}: ${reply.status} ${await reply.text()}`);
    return reply;
  };
  return {
    async createParties(wanted, tokens, amount) {
      const holdings = tokens.map((token) => ({ token, amount }));
      const specs = wanted.map(({ hint, external }) => ({
        hint,
        holdings,
        ...(external ? { external } : {}),
      }));
      const { parties, external = [] } = (await (await ask('/parties', specs)).json()) as {
        parties: string[];
        external?: { party: string; privateKey: string }[];
      };
      const keys = new Map(external.map(({ party, privateKey }) => [party, privateKey]));
      return parties.map((party) => ({ party, privateKey: keys.get(party) ?? null }));
    },
    async audit() {
      const text = await (await ask('/audit')).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditLine);
    },
    summary: async () =>
      (await (await ask('/audit/summary')).json()) as { ledgerCalls: number; doubleCommits: number },
    async balances(party) {
      const reply = await ask(`/holdings?party=${encodeURIComponent(party)}`);
      const sums = (await reply.json()) as Record<string, { amount: string }>;
      return new Map(Object.entries(sums).map(([token, { amount }]) => [token, parseDecimal(amount) ?? -1n]));
    },
  };
}

/** fetch says "fetch failed", and hides why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
