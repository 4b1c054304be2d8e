// The network between a submitter and its participant, for the histories of the ledger side: what becomes of a request
// that has left is the test's to say, and what goes by is its to see.

import type { SubmitterEvent } from '../../src/observe/events.js';
import type { CallOptions, Ledger } from '../../src/ports/ledger.js';
import type { Outcome } from '../../src/protocol/outcome.js';
import type { Local } from '../support/local.js';
import { HANG_MS } from '../support/time.js';
import type { World } from '../support/world.js';

export type Fate =
  /** Held up until `deliver`; its caller has heard nothing and given up. */
  | 'hold'
  /** Arrives at once; its caller has given up. */
  | 'unheard'
  /** Arrives and is decided, and the answer is lost. */
  | 'lose-answer';

export interface Request {
  readonly sender: string;
  readonly submissionId: string;
}

export interface Network {
  readonly wrap: (ledger: Ledger) => Ledger;
  /** Everything that was handed to it, in order. */
  readonly requests: readonly Request[];
  /** What completion streams were asked for. */
  readonly streams: readonly Parameters<Ledger['completions']>[0][];
  /** What becomes of the next requests; those after them arrive and are answered. */
  next(...fates: Fate[]): void;
  /** The request that was held first arrives now. */
  deliver(): Promise<Outcome>;
}

const unknown: Outcome = { kind: 'unknown', detail: 'GRPC_UNAVAILABLE: the network says nothing' };

/** `lost`: what happens between the loss of an answer and its caller learning of it. */
export function createNetwork(lost: () => Promise<void> = async () => {}): Network {
  const requests: Request[] = [];
  const streams: Parameters<Ledger['completions']>[0][] = [];
  const fates: Fate[] = [];
  const held: (() => Promise<Outcome>)[] = [];
  /** A request that has left: out of reach of its caller's deadline and cancellation. */
  const carry = async (
    request: Request,
    send: (options: CallOptions) => Promise<Outcome>,
    options: CallOptions,
  ): Promise<Outcome> => {
    requests.push(request);
    const fate = fates.shift();
    const arrive = (): Promise<Outcome> => send({ timeoutMs: HANG_MS });
    if (fate === undefined) return send(options);
    if (fate === 'hold') held.push(arrive);
    else if (fate === 'unheard') arrive().catch(() => {});
    else {
      await arrive();
      await lost();
    }
    return unknown;
  };
  return {
    requests,
    streams,
    next: (...more) => void fates.push(...more),
    wrap: (ledger) => ({
      ...ledger,
      submit: (submission, options) => carry(submission, (call) => ledger.submit(submission, call), options),
      execute: (signed, options) =>
        carry(
          { sender: signed.party, submissionId: signed.submissionId },
          (call) => ledger.execute(signed, call),
          options,
        ),
      completions(request, signal) {
        streams.push(request);
        return ledger.completions(request, signal);
      },
    }),
    async deliver() {
      const first = held.shift();
      if (first === undefined) throw new Error('the network holds nothing');
      return first();
    },
  };
}

/** The next event of this kind, what was seen before not counted. */
export function nextEvent<K extends SubmitterEvent['kind']>(
  local: Local,
  kind: K,
  fits: (event: Extract<SubmitterEvent, { kind: K }>) => boolean = () => true,
): Promise<Extract<SubmitterEvent, { kind: K }>> {
  const seen = new Set<SubmitterEvent>(local.events);
  return local.event(kind, (event) => !seen.has(event) && fits(event));
}

/** What `replay` does: rows that wait are due at once, their records stay. */
export async function replay(world: World): Promise<void> {
  await world.db.query(
    "update mempool set available_at = now() where status = 'pending' and claim_token is null",
  );
}

/** The row's record is there, and its bound has passed on the database's clock. */
export const boundPassed = (world: World, hash: string): Promise<void> =>
  world.until('its bound has passed', async () => {
    const { over } = await world.db.one<{ over: boolean | null }>(
      'select sent_until < now() as over from mempool where tx_hash = $1',
      [Buffer.from(hash.slice(2), 'hex')],
    );
    return over === true;
  });
