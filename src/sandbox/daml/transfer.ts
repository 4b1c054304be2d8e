// What TransferFactory_Transfer of CIP56TransferFactory does, check by check in the order of its Daml source.
import type { Micros } from '../clock.js';
import { refuse } from '../errors.js';
import type { AnyValue, TextMap } from './any-value.js';
import type { Holding, InstrumentId, Payload, TransferFactory } from './contracts.js';

export interface Transfer {
  readonly sender: string;
  readonly receiver: string;
  readonly amount: bigint;
  readonly instrumentId: InstrumentId;
  readonly requestedAt: Micros;
  readonly executeBefore: Micros;
  readonly inputHoldingCids: readonly string[];
  readonly meta: TextMap<string>;
}

export interface TransferChoice {
  readonly factoryId: string;
  readonly expectedAdmin: string;
  readonly transfer: Transfer;
  /** extraArgs: what a registry gave for this choice, and what the ledger is to keep of it. */
  readonly context: TextMap<AnyValue>;
  readonly meta: TextMap<string>;
}

/** What the choice is interpreted against. */
export interface Scene {
  /** Ledger effective time: what getTime returns. */
  readonly now: Micros;
  readonly actAs: ReadonlySet<string>;
  /** The active contract, if act_as, read_as or a disclosure shows it; null where this transaction has consumed it. */
  see(contractId: string): Payload | undefined | null;
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
  if (factory.kind !== 'factory') {
    refuse(
      'CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE',
      `Contract ${choice.factoryId} does not implement interface Splice.Api.Token.TransferInstructionV1:TransferFactory.`,
      { resources: [['CONTRACT_ID', choice.factoryId]] },
    );
  }
  const { sender, receiver, amount, instrumentId, requestedAt, executeBefore, inputHoldingCids } =
    choice.transfer;
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

  const inputs = takeInputs(inputHoldingCids, scene, factory.admin, sender, instrumentId);
  const total = inputs.reduce((sum, holding) => sum + holding.amount, 0n);
  require(total >= amount, 'insufficient input holdings');

  const meta = inputs[0]?.meta ?? {};
  const holding = (owner: string, units: bigint): Holding => ({
    kind: 'holding',
    issuer: factory.admin,
    owner,
    amount: units,
    instrumentId,
    meta,
  });
  return {
    factory,
    fetched: [],
    archived: inputHoldingCids,
    bounds: { min: scene.now, max: scene.now },
    created: [
      holding(receiver, amount),
      ...(total > amount ? [holding(sender, total - amount)] : []),
      {
        kind: 'transferEvent',
        issuer: factory.admin,
        fromParty: sender,
        toParty: receiver,
        amount,
        instrumentId,
        timestamp: scene.now,
        auditObservers: factory.auditObservers,
      },
    ],
  };
}

function takeInputs(
  contractIds: readonly string[],
  scene: Scene,
  issuer: string,
  owner: string,
  instrumentId: InstrumentId,
): Holding[] {
  const taken = new Set<string>();
  return contractIds.map((contractId) => {
    if (taken.has(contractId)) notActive(contractId);
    taken.add(contractId);
    const holding = fetch(contractId, scene);
    if (holding.kind !== 'holding') {
      refuse(
        'WRONGLY_TYPED_CONTRACT',
        `Contract ${contractId} is not of template CIP56.Token:CIP56Holding.`,
        {
          resources: [['CONTRACT_ID', contractId]],
        },
      );
    }
    require(holding.issuer === issuer, 'input holding: wrong issuer');
    require(holding.owner === owner, 'input holding: wrong owner');
    require(holding.instrumentId.admin === instrumentId.admin &&
      holding.instrumentId.id === instrumentId.id, 'input holding: wrong instrument');
    require(holding.lock === undefined, 'input holding: must not be locked');
    return holding;
  });
}

function fetch(contractId: string, scene: Scene): Payload {
  const seen = scene.see(contractId);
  if (seen === null) return notActive(contractId);
  return (
    seen ??
    refuse('CONTRACT_NOT_FOUND', `Contract could not be found with id ${contractId}`, {
      resources: [['CONTRACT_ID', contractId]],
    })
  );
}

function notActive(contractId: string): never {
  return refuse(
    'CONTRACT_NOT_ACTIVE',
    `Interpretation error: Error: Update failed due to fetch of an inactive contract ${contractId}`,
    {
      resources: [['CONTRACT_ID', contractId]],
    },
  );
}

const ASSERTION_FAILED = 'UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed';

/** Daml's assertMsg: since 3.3 a DAML_FAILURE whose error_id names the exception. */
function require(holds: boolean, message: string): asserts holds {
  if (holds) return;
  refuse(
    'DAML_FAILURE',
    `Interpretation error: Error: User failure: ${ASSERTION_FAILED} (error category 9): ${message}`,
    { metadata: { error_id: ASSERTION_FAILED } },
  );
}
