// Postgres behind the port of ports/store.ts: one statement a step, and the guarantees are kept in the statements.
import { randomBytes } from 'node:crypto';
import { type ClaimToken, dbMillis, type RowId, txHashOf } from '../core/ids.js';
import type { ClaimReply, ClaimRequest, Store } from '../ports/store.js';
import { notTheRows } from './errors.js';
import { createLowWater } from './low-water.js';
import { halt, pinParticipant, readPinned } from './pins.js';
import { type Database, retryLostRace, wasLocked } from './pool.js';
import { recheck } from './recheck.js';
import { claimedRow } from './rows.js';
import { settleBatch, type TrafficOf } from './settle.js';
import {
  ADVANCE_MARKS,
  AWAIT,
  CLAIM,
  PAUSED_PARTS,
  RENEW,
  RESCUE,
  RESERVE,
  RESERVED,
  RING,
  STILL_HELD,
} from './statements.js';
import { createWriteAhead, recordValues } from './write-ahead.js';

/** Claims taken back by one statement; the rest follow at the next poll. */
const RESCUE_MAX = 1_000;
/** 2^64 divided by the golden ratio: turns this far apart cover all lanes evenly, without any state in the database. */
const GOLDEN = 0x9e3779b97f4a7c15n;

/** `trafficOf`: for the stories of rows. */
export function createStore(database: Database, trafficOf: TrafficOf = () => null): Store {
  let turn = randomBytes(8).readBigInt64LE();
  const lowWater = { fresh: createLowWater(), undecided: createLowWater() };
  const forget = (): void => {
    lowWater.fresh.forget();
    lowWater.undecided.forget();
  };

  async function claim(
    request: ClaimRequest,
    fresh: { readonly sentFrom: bigint; readonly windowMs: number } | null,
  ): Promise<ClaimReply> {
    turn = BigInt.asIntN(64, turn + GOLDEN);
    const lowWaterMark = fresh === null ? lowWater.undecided : lowWater.fresh;
    const tuples = await retryLostRace(() =>
      database.run(CLAIM, [
        fresh === null,
        request.generation.toString(),
        request.holder,
        request.limit,
        request.leaseMs,
        turn.toString(),
        fresh === null ? null : fresh.sentFrom.toString(),
        fresh?.windowMs ?? null,
        lowWaterMark.from(),
      ]),
    );
    const [first] = tuples;
    if (first === undefined || first.answer === 'stale') return { kind: 'stale' };
    lowWaterMark.seen(first.low_water, first.db_now);
    const rows = tuples
      .filter(({ answer }) => answer === 'row')
      .map((tuple) => claimedRow(tuple, request.generation));
    const parked = tuples
      .filter(({ answer }) => answer === 'parked')
      .map((tuple) => ({ id: tuple.id as RowId, txHash: txHashOf(tuple.tx_hash) }));
    return { kind: 'claimed', rows, parked, now: dbMillis(first.db_now) };
  }

  async function renew(
    tokens: readonly ClaimToken[],
    leaseMs: number,
  ): Promise<ReadonlyMap<ClaimToken, 'renewed' | 'locked'>> {
    if (tokens.length === 0) return new Map();
    const run = (waitForLocks: boolean): Promise<{ readonly token: string }[]> =>
      retryLostRace(() => database.run(RENEW, [waitForLocks, tokens, leaseMs]));
    const asked = (rows: readonly { readonly token: string }[]): readonly ClaimToken[] => {
      const found = new Set(rows.map((row) => row.token));
      return tokens.filter((token) => found.has(token));
    };
    try {
      return new Map(asked(await run(true)).map((token) => [token, 'renewed']));
    } catch (error) {
      if (!wasLocked(error)) throw error;
      // A row that somebody keeps locked must neither cost all the others their leases nor be taken for a lost one.
      const renewed = asked(await run(false));
      const held = asked(await database.run(STILL_HELD, [tokens]));
      return new Map([
        ...held.map((token) => [token, 'locked'] as const),
        ...renewed.map((token) => [token, 'renewed'] as const),
      ]);
    }
  }

  return {
    claim: (request) => claim(request, request),
    claimUndecided: (request) => claim(request, null),
    writeAhead: createWriteAhead(database),
    async reserved(party) {
      const rows = await database.run(RESERVED, [party]);
      return rows.map(({ id, inputs }) => ({ id: id as RowId, inputs }));
    },
    async reserve(claim, record, inputs, generation) {
      const values = [...recordValues({ claim, record, generation }), inputs];
      const [reply] = await retryLostRace(() => database.run(RESERVE, values)).catch((error: unknown) => {
        throw notTheRows(error);
      });
      if (reply?.answer === 'written') return { kind: 'written', laneWaits: reply.lane_waits };
      return { kind: reply?.answer ?? 'fenced' };
    },
    async awaitRows({ row, token }, on, mostMs) {
      await database.run(AWAIT, [row.id, token, on, mostMs]);
    },
    renew,
    async rescue() {
      const rows = await retryLostRace(() => database.run(RESCUE, [RESCUE_MAX]));
      // Rescued rows keep their place in the queue, which may lie behind the low-water mark.
      if (rows.length > 0) forget();
      return rows.length;
    },
    async settle(batch) {
      const settled = await settleBatch(database, batch, trafficOf);
      // Rows given back keep their place too.
      if (batch.some(({ verdict }) => verdict.kind === 'pending')) forget();
      return settled;
    },
    pinned: () => readPinned(database),
    pinParticipant: (generation, participant) => pinParticipant(database, generation, participant),
    async advanceMarks({ generation, ledgerEnd, mark, oldMark }) {
      await database.run(ADVANCE_MARKS, [
        ledgerEnd.toString(),
        mark === null ? null : mark.offset.toString(),
        mark?.updateId ?? null,
        mark?.party ?? null,
        oldMark === null ? null : oldMark.offset.toString(),
        oldMark?.updateId ?? null,
        generation.toString(),
      ]);
    },
    async recheck(request) {
      const result = await recheck(database, request);
      if (result !== null) await ring(database, 'bell');
      return result;
    },
    halt: (reason, lateMs) => halt(database, reason, lateMs),
    paused: () => database.run(PAUSED_PARTS, []),
    ring: (kind) => ring(database, kind),
  };
}

/** Wakes those who listen, after a change that no insert announces. `handoff`: this instance settled and has no free slot. */
export async function ring(database: Database, kind: 'bell' | 'handoff'): Promise<void> {
  await database.run(RING, kind === 'bell' ? ['', 1] : ['h', 2]);
}
