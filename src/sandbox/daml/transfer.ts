// TransferFactory_Transfer: who may exercise it, and what every factory checks, in the order of CIP-56's source.
import type { Micros } from '../clock.js';
import { refuse } from '../errors.js';
import type { AnyValue, TextMap } from './any-value.js';
import { type Contracts, fetch, notActive, require, wronglyTyped } from './checks.js';
import {
  type Holding,
  type HoldingKind,
  isFactory,
  isHolding,
  type Payload,
  type Transfer,
  type TransferFactory,
  withLock,
} from './contracts.js';
import { templates } from './packages.js';
import { type Pieces, transferInRegistry } from './registry.js';

export interface TransferChoice {
  readonly factoryId: string;
  readonly expectedAdmin: string;
  readonly transfer: Transfer;
  /** extraArgs: what a registry supplied for this choice, and what the ledger is to keep of it. */
  readonly context: TextMap<AnyValue>;
  readonly meta: TextMap<string>;
}

export interface Scene extends Contracts {
  /** Ledger effective time, which getTime returns. */
  readonly now: Micros;
  readonly actAs: ReadonlySet<string>;
}

export interface Effects {
  readonly factory: TransferFactory;
  /** Contracts that were read in addition to the inputs. */
  readonly fetched: readonly string[];
  readonly archived: readonly string[];
  readonly created: readonly Payload[];
  /** How it used the ledger effective time: a call of getTime fixes that time. */
  readonly bounds: { readonly min?: Micros; readonly max?: Micros };
}

export function interpretTransfer(choice: TransferChoice, scene: Scene): Effects {
  const factory = fetch(choice.factoryId, scene);
  if (!isFactory(factory)) {
    refuse(
      'CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE',
      `Contract ${choice.factoryId} does not implement interface Splice.Api.Token.TransferInstructionV1:TransferFactory.`,
      { resources: [['CONTRACT_ID', choice.factoryId]] },
    );
  }
  const { sender, amount, requestedAt, executeBefore, inputHoldingCids } = choice.transfer;
  if (!scene.actAs.has(sender)) {
    refuse(
      'DAML_AUTHORIZATION_ERROR',
      `Interpretation error: Error: node NodeId(0) requires authorizers ${sender}, but only ${[...scene.actAs]} were given`,
    );
  }
  require(choice.expectedAdmin === factory.admin, 'expectedAdmin mismatch');
  require(requestedAt <= scene.now, 'requestedAt must be in the past');
  require(scene.now < executeBefore, 'transfer expired (executeBefore in the past)');
  require(amount > 0n, 'amount must be positive');
  require(inputHoldingCids.length > 0, 'inputHoldingCids must not be empty');
  const inputs = takeInputs(choice.transfer, scene, factory);
  const total = inputs.reduce((sum, holding) => sum + holding.amount, 0n);
  require(total >= amount, 'insufficient input holdings');

  const pieces = piecesOf(choice.transfer, inputs, total - amount);
  const common = { factory, archived: inputHoldingCids };
  if (factory.kind !== 'factory') return { ...common, ...transferInRegistry(choice, scene, pieces) };
  return {
    ...common,
    fetched: [],
    bounds: { min: scene.now, max: scene.now },
    created: [pieces.receiver, ...pieces.change, eventOf(choice.transfer, factory, scene.now)],
  };
}

function piecesOf({ sender, receiver, amount }: Transfer, inputs: readonly Holding[], rest: bigint): Pieces {
  const [first] = inputs;
  if (!first) throw new Error('a transfer has inputs');
  const free = withLock(first);
  return {
    receiver: { ...free, owner: receiver, amount },
    change: rest > 0n ? [{ ...free, owner: sender, amount: rest }] : [],
    lockedUntil: Math.max(...inputs.map(({ lock }) => lock?.expiresAt ?? 0)),
  };
}

/** Which holdings a factory accepts, and whether it accepts those that used to be locked. */
const takes: Readonly<
  Record<TransferFactory['kind'], { readonly kinds: readonly HoldingKind[]; readonly endedLocks: boolean }>
> = {
  factory: { kinds: ['holding'], endedLocks: false },
  utilityFactory: { kinds: ['utilityHolding'], endedLocks: true },
  amuletFactory: { kinds: ['amulet', 'lockedAmulet'], endedLocks: true },
  depositFactory: { kinds: ['deposit'], endedLocks: true },
};

function eventOf(transfer: Transfer, factory: TransferFactory, timestamp: Micros): Payload {
  return {
    kind: 'transferEvent',
    issuer: factory.admin,
    fromParty: transfer.sender,
    toParty: transfer.receiver,
    amount: transfer.amount,
    instrumentId: transfer.instrumentId,
    timestamp,
    auditObservers: factory.auditObservers,
  };
}

function takeInputs(transfer: Transfer, scene: Scene, factory: TransferFactory): Holding[] {
  const { sender, instrumentId, inputHoldingCids } = transfer;
  const { kinds, endedLocks } = takes[factory.kind];
  const taken = new Set<string>();
  return inputHoldingCids.map((contractId) => {
    if (taken.has(contractId)) notActive(contractId);
    taken.add(contractId);
    const holding = fetch(contractId, scene);
    if (!isHolding(holding) || !kinds.includes(holding.kind)) {
      const names = kinds.map((kind) => `${templates[kind].module}:${templates[kind].entity}`);
      return wronglyTyped(contractId, names.join(' or '));
    }
    require(holding.issuer === factory.admin, 'input holding: wrong issuer');
    require(holding.owner === sender, 'input holding: wrong owner');
    require(holding.instrumentId.admin === instrumentId.admin &&
      holding.instrumentId.id === instrumentId.id, 'input holding: wrong instrument');
    const { lock } = holding;
    const ended = endedLocks && lock?.expiresAt !== undefined && lock.expiresAt <= scene.now;
    require(lock === undefined || ended, 'input holding: must not be locked');
    return holding;
  });
}
