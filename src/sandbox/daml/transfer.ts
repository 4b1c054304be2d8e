// TransferFactory_Transfer: who may exercise it, and what every factory makes sure of, in the order of CIP-56's source.
import type { Micros } from '../clock.js';
import { refuse } from '../errors.js';
import type { AnyValue, TextMap } from './any-value.js';
import { type Contracts, fetch, notActive, require, wronglyTyped } from './checks.js';
import {
  type Holding,
  isFactory,
  isHolding,
  type Payload,
  type Transfer,
  type TransferFactory,
} from './contracts.js';
import { templates } from './packages.js';
import { transferInRegistry } from './registry.js';

export interface TransferChoice {
  readonly factoryId: string;
  readonly expectedAdmin: string;
  readonly transfer: Transfer;
  /** extraArgs: what a registry gave for this choice, and what the ledger is to keep of it. */
  readonly context: TextMap<AnyValue>;
  readonly meta: TextMap<string>;
}

export interface Scene extends Contracts {
  /** Ledger effective time: what getTime returns. */
  readonly now: Micros;
  readonly actAs: ReadonlySet<string>;
}

export interface Effects {
  readonly factory: TransferFactory;
  /** Looked at, besides the inputs. */
  readonly fetched: readonly string[];
  readonly archived: readonly string[];
  readonly created: readonly Payload[];
  /** What it has asked of the ledger effective time: who calls getTime fixes it. */
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
  if (factory.kind === 'utilityFactory') return { ...common, ...transferInRegistry(choice, scene, pieces) };
  return {
    ...common,
    fetched: [],
    bounds: { min: scene.now, max: scene.now },
    created: [pieces.receiver, ...pieces.change, eventOf(choice.transfer, factory, scene.now)],
  };
}

/** What the inputs become. */
export interface Pieces {
  readonly receiver: Holding;
  /** One, or none where nothing is left. */
  readonly change: readonly Holding[];
}

function piecesOf({ sender, receiver, amount }: Transfer, [first]: readonly Holding[], rest: bigint): Pieces {
  if (!first) throw new Error('a transfer has inputs');
  return {
    receiver: { ...first, owner: receiver, amount },
    change: rest > 0n ? [{ ...first, owner: sender, amount: rest }] : [],
  };
}

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
  const kind = factory.kind === 'factory' ? 'holding' : 'utilityHolding';
  const taken = new Set<string>();
  return inputHoldingCids.map((contractId) => {
    if (taken.has(contractId)) notActive(contractId);
    taken.add(contractId);
    const holding = fetch(contractId, scene);
    if (!isHolding(holding) || holding.kind !== kind) {
      return wronglyTyped(contractId, `${templates[kind].module}:${templates[kind].entity}`);
    }
    require(holding.issuer === factory.admin, 'input holding: wrong issuer');
    require(holding.owner === sender, 'input holding: wrong owner');
    require(holding.instrumentId.admin === instrumentId.admin &&
      holding.instrumentId.id === instrumentId.id, 'input holding: wrong instrument');
    require(holding.lock === undefined, 'input holding: must not be locked');
    return holding;
  });
}
