// What others do on the same ledger: the issuer mints, another application of a party moves its holdings or uses our
// command id. None of this is sequenced against undecided submissions, so it touches unlocked contracts only.
import {
  type Holding,
  type HoldingKind,
  holdingKinds,
  type InstrumentId,
  isHolding,
  type Lock,
  operatorOf,
  type Payload,
  providerOf,
  type RegistryTransfers,
  type TransferFactory,
  withLock,
} from '../daml/contracts.js';
import type { Participant } from './participant.js';
import type { Contract, Node, Place } from './records.js';
import type { Submission } from './submission.js';

export interface Mint {
  readonly owner: string;
  readonly kind: HoldingKind;
  readonly instrumentId: InstrumentId;
  readonly amount: bigint;
  readonly count: number;
  readonly lock?: Lock;
}

export function mint(participant: Participant, mints: readonly Mint[]): void {
  const created = mints.flatMap(({ owner, kind, instrumentId, amount, count, lock }): Payload[] => {
    const meta: Holding['meta'] = kind === 'holding' ? { 'splice.chainsafe.io/symbol': instrumentId.id } : {};
    const holding: Holding = { kind, issuer: instrumentId.admin, owner, amount, instrumentId, meta };
    return Array.from({ length: count }, () => withLock(holding, lock));
  });
  if (created.length > 0) participant.transact([], created);
}

/**
 * The issuer itself holds one unit of each of its instruments, because an instrument that was never minted is never
 * listed.
 */
export function createFactory(
  participant: Participant,
  issuer: string,
  instruments: readonly string[],
): void {
  const factory: TransferFactory = { kind: 'factory', admin: issuer, auditObservers: [] };
  const reserve = instruments.map(
    (id): Holding => ({
      kind: 'holding',
      issuer,
      owner: issuer,
      amount: 10n ** 10n,
      instrumentId: { admin: issuer, id },
      meta: { 'splice.chainsafe.io/symbol': id },
    }),
  );
  participant.transact([], [factory, ...reserve]);
}

/** Another admin's tokens: a factory, and the rules of each instrument. */
export function createRegistry(
  participant: Participant,
  registrar: string,
  factory: TransferFactory['kind'],
  instruments: readonly { readonly id: string; readonly transfers: RegistryTransfers }[],
): void {
  for (const party of [registrar, operatorOf(registrar), providerOf(registrar)]) participant.addParty(party);
  participant.transact(
    [],
    [
      { kind: factory, admin: registrar, auditObservers: [] },
      ...instruments.map(
        ({ id, transfers }): Payload => ({
          kind: 'utilityRules',
          registrar,
          instrumentId: { admin: registrar, id },
          transfers,
        }),
      ),
    ],
  );
}

export function holdingsOf(
  participant: Participant,
  party: string,
): (Contract & { readonly payload: Holding })[] {
  const { contracts, end } = participant.state;
  return holdingKinds
    .flatMap((kind) => [...contracts.activeAt(party, kind, end)])
    .filter(
      (contract): contract is Contract & { readonly payload: Holding } =>
        isHolding(contract.payload) && contract.payload.owner === party,
    );
}

/** Unlocked, and not used by anything undecided. */
export function spendable(participant: Participant, party: string, instrumentId: string | undefined) {
  return holdingsOf(participant, party).filter(
    ({ id, payload }) =>
      payload.lock === undefined &&
      !participant.path.isLocked(id) &&
      (instrumentId === undefined || payload.instrumentId.id === instrumentId),
  );
}

/**
 * Returns how many holdings were moved. `keep`: into one new holding per instrument, with the same owner and total.
 */
export function spend(
  participant: Participant,
  party: string,
  instrumentId: string | undefined,
  keep: boolean,
): number {
  const spent = spendable(participant, party, instrumentId);
  if (spent.length === 0) return 0;
  const kept = new Map<string, Holding>();
  for (const { payload } of keep ? spent : []) {
    const sum = (kept.get(payload.instrumentId.id)?.amount ?? 0n) + payload.amount;
    kept.set(payload.instrumentId.id, { ...payload, amount: sum });
  }
  participant.transact(
    spent.map(({ id }) => id),
    [...kept.values()],
  );
  return spent.length;
}

/** Whoever holds the locks on a party's holdings releases them; returns how many. */
export function release(participant: Participant, party: string, instrumentId: string | undefined): number {
  const locked = holdingsOf(participant, party).filter(
    ({ payload }) =>
      payload.lock !== undefined && (instrumentId === undefined || payload.instrumentId.id === instrumentId),
  );
  if (locked.length === 0) return 0;
  participant.transact(
    locked.map(({ id }) => id),
    locked.map(({ payload }) => withLock(payload)),
  );
  return locked.length;
}

/** A party's holdings move to another synchronizer, or come back; returns how many. */
export function reassign(
  participant: Participant,
  party: string,
  instrumentId: string | undefined,
  place: Place,
): number {
  const moved = holdingsOf(participant, party).filter(
    ({ id, payload }) =>
      !participant.path.isLocked(id) &&
      (instrumentId === undefined || payload.instrumentId.id === instrumentId),
  );
  participant.move(
    moved.map(({ id }) => id),
    place,
  );
  return moved.length;
}

/**
 * An acceptance of this command that the caller did not make, for the same transfer or for one to the sender itself.
 */
export function acceptForeign(
  participant: Participant,
  submission: Submission,
  transfer: 'same' | 'other',
): void {
  const [choice] = submission.choices;
  const submissionId = participant.submissionId();
  const { userId, actAs, commandId } = submission;
  const [party = ''] = actAs;
  const nodes: Node[] = [];
  if (choice) {
    const { amount, receiver, instrumentId, inputHoldingCids } = choice.transfer;
    const enough = spendable(participant, party, instrumentId.id).filter(
      ({ payload }) => payload.amount >= amount,
    );
    // If the command's own inputs were spent, interpretation would fail before deduplication finds the duplicate.
    const input = enough.find(({ id }) => !inputHoldingCids.includes(id)) ?? enough[0];
    if (input)
      nodes.push(...transferNodes(participant, choice, input, transfer === 'same' ? receiver : party));
  }
  accept(participant, { userId, actAs, commandId, submissionId }, nodes);
}

export function accept(
  participant: Participant,
  of: { userId: string; actAs: readonly string[]; commandId: string; submissionId: string },
  nodes: readonly Node[],
): number {
  const recordTime = participant.unsequenced();
  const update = { ...participant.update([], [], of.commandId, of.actAs), nodes };
  const result = { accepted: true, updateId: update.updateId } as const;
  return participant.publish(recordTime, { ...of, dedupOffset: 0, result }, update);
}

function transferNodes(
  participant: Participant,
  choice: Submission['choices'][number],
  input: Contract & { readonly payload: Holding },
  receiver: string,
): Node[] {
  const { transfer } = choice;
  const { payload } = input;
  const rest = payload.amount - transfer.amount;
  const event: Payload = {
    kind: 'transferEvent',
    issuer: payload.issuer,
    fromParty: transfer.sender,
    toParty: receiver,
    amount: transfer.amount,
    instrumentId: payload.instrumentId,
    timestamp: participant.clock.participant(),
    auditObservers: [],
  };
  const created: Payload[] = [
    { ...payload, owner: receiver, amount: transfer.amount },
    ...(rest > 0n ? [{ ...payload, amount: rest }] : []),
    ...(payload.kind === 'holding' ? [event] : []),
  ];
  const inputs = [input.id];
  return [
    {
      kind: 'exercise',
      nodeId: 0,
      choice: { ...choice, transfer: { ...transfer, receiver, inputHoldingCids: inputs } },
      lastNodeId: 1 + created.length,
    },
    { kind: 'archive', nodeId: 1, contractId: input.id },
    ...created.map(
      (it, index): Node => ({
        kind: 'create',
        nodeId: 2 + index,
        contractId: participant.contractId(),
        payload: it,
      }),
    ),
  ];
}
