// The sandbox as a benchmark sees it: parties before, the audit log after.

export interface Call {
  readonly commandId: string;
  /** When the submission reached the sandbox, in ms since the epoch. */
  readonly at: number;
  readonly outcome: { readonly kind: string; readonly errorId?: string };
}

export interface Party {
  readonly party: string;
  /** An external party's private key, 32 bytes as hex. */
  readonly key?: string;
}

export interface Participant {
  /** Each with so many holdings. */
  createParties(count: number, hint: string, external: boolean, holdings: number): Promise<Party[]>;
  /** Submissions, from the given one on. */
  calls(since: number): Promise<Call[]>;
  /** How many there were up to now. */
  mark(): Promise<number>;
  tell(control: Readonly<Record<string, unknown>>): Promise<void>;
}

export function participantAt(http: string): Participant {
  const ask = async (path: string, body?: unknown): Promise<Response> => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(
      `${http}${path}`,
      body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
    );
    if (!reply.ok) throw new Error(`the sandbox refuses ${path}: ${await reply.text()}`);
    return reply;
  };
  return {
    async createParties(count, hint, external, each) {
      const specs = Array.from({ length: count }, (_, index) => ({
        hint: `${hint}-${index}`,
        holdings: [{ token: 'DEMO', amount: '1000000', count: each }],
        ...(external ? { external } : {}),
      }));
      const made = (await (await ask('/parties', specs)).json()) as {
        parties: string[];
        external?: { party: string; privateKey: string }[];
      };
      const keys = new Map(made.external?.map(({ party, privateKey }) => [party, privateKey]));
      return made.parties.map((party) => {
        const key = keys.get(party);
        return key === undefined ? { party } : { party, key };
      });
    },
    async calls(since) {
      const text = await (await ask(`/audit?since=${since}`)).text();
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Call]));
    },
    mark: async () => ((await (await ask('/audit/summary')).json()) as { ledgerCalls: number }).ledgerCalls,
    async tell(control) {
      await ask('/faults', control);
    },
  };
}
