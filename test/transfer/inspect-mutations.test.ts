// Any one field of a good transaction changed, by a participant that then tells the matching hash: no signature, unless
// the field moves nothing. What moves nothing is written down here.
import { PreparedTransaction } from '@canton-network/core-ledger-proto';
import test from 'ava';
import fc from 'fast-check';
import { inspectPrepared } from '../../src/transfer/inspect.js';
import { LONG } from '../support/long.js';
import { messageOf, ownScenario, seal } from './prepared.js';
import { registryScenario } from './prepared-registry.js';

type Leaf = string | number | bigint | boolean | Uint8Array;
type Holder = Record<string | number, unknown>;

/** A leaf to be changed, or a list to lose or double an element, and what a reader would call it. */
interface Place {
  readonly path: readonly (string | number)[];
  readonly name: string;
  readonly list: boolean;
}

const isLeaf = (value: unknown): value is Leaf => typeof value !== 'object' || value instanceof Uint8Array;

/** Steps that only say how protobuf writes a node or a value. */
const FORM = new Set(['versionedNode', 'v1', 'nodeType', 'sum', 'record', 'fields', 'value', 'contract']);

function placesIn(value: unknown, path: Place['path'] = [], name: readonly string[] = []): Place[] {
  if (value === undefined || value === null || path.at(-1) === 'oneofKind') return [];
  if (isLeaf(value)) return [{ path, name: name.join('.'), list: false }];
  const below = Object.entries(value).flatMap(([key, one]) => {
    if (Array.isArray(value)) return placesIn(one, [...path, Number(key)], [...name, ...titleOf(one)]);
    return placesIn(one, [...path, key], FORM.has(key) ? name : [...name, key]);
  });
  const list = Array.isArray(value) && value.length > 0;
  return list ? [{ path, name: name.join('.'), list }, ...below] : below;
}

/** An element by what it is: a field by its label, a node or a contract by its template and id. */
function titleOf(element: unknown): string[] {
  if (typeof element !== 'object' || element === null) return [];
  const { label, versionedNode, contract } = element as {
    readonly label?: string;
    readonly versionedNode?: { readonly v1: { readonly nodeType: Record<string, unknown> } };
    readonly contract?: { readonly v1: unknown };
  };
  if (label !== undefined) return [label];
  const type = versionedNode?.v1.nodeType;
  const inner = contract?.v1 ?? type?.[String(type.oneofKind)];
  const { templateId, contractId } = (inner ?? {}) as {
    readonly templateId?: { readonly entityName: string };
    readonly contractId?: string;
  };
  return templateId === undefined ? [] : [`${templateId.entityName} ${contractId}`];
}

function changed(leaf: Leaf, by: number): Leaf {
  if (typeof leaf === 'boolean') return !leaf;
  if (typeof leaf === 'bigint') return leaf + BigInt(by);
  if (typeof leaf === 'number') return leaf + by;
  if (leaf instanceof Uint8Array) return leaf.map((byte) => byte ^ by);
  // Another of its kind where it is one, so that not the form alone gives it away.
  if (/^[0-9a-f]+$/.test(leaf) && leaf.length % 2 === 0) return `${leaf}0${by}`;
  return /^-?\d+(\.\d+)?$/.test(leaf) ? `${by}${leaf}` : `${leaf}x${by}`;
}

function mutate(message: PreparedTransaction, { path, list }: Place, by: number): void {
  const key = path.at(-1) ?? '';
  const holder = path.slice(0, -1).reduce<Holder>((at, step) => at[step] as Holder, message as never);
  if (!list) {
    holder[key] = changed(holder[key] as Leaf, by);
    return;
  }
  const elements = holder[key] as unknown[];
  const index = by % elements.length;
  if (by % 2 === 0) elements.splice(index, 1);
  else elements.push(structuredClone(elements[index]));
}

/**
 * Signed, and of no weight for where the money goes: the hash holds the participant to them, and the ledger's own
 * validation to their truth. Everything else has to be exactly as it was asked for.
 */
const NEUTRAL: readonly RegExp[] = [
  // Which version of the code runs is the ledger's to check: names are held, the ids of packages are not.
  /\.lfVersion$/,
  /^transaction\.version$/,
  /(templateId|interfaceId|recordId|variantId)\.packageId$/,
  /(recordId|variantId)\.(moduleName|entityName)$/,
  // What tells one preparation from another, and when it was made (within what the bound allows).
  /^transaction\.nodeSeeds\.seed$/,
  /^metadata\.(transactionUuid|mediatorGroup|preparationTime|maxLedgerEffectiveTime)$/,
  /\.(createdAt|eventBlob)$/,
  /\.create\.contractId$/,
  // What a choice answers is told again by its nodes; whoever looks on moves nothing; a set may say a party twice.
  /\.exerciseResult\b/,
  /\.fetch\.actingParties$/,
  /\.(signatories|stakeholders|exercise\.actingParties)$/,
  // What else a contract says: its notes, its time, who may audit it, which of them it still has.
  /\.argument\.(meta|timestamp|auditObservers)\b/,
  /\.argument$/,
  /^metadata\.inputContracts\.CIP56TransferFactory 00fa\.argument/,
  // A registry's own templates and the labels on its holdings; what lives inside the transaction only; how it locks.
  /\.(TransferRule 00b1|ExecutedTransfer 00d4|TransferOffer 00d3|AllocationFactory 00fa)\.(?!exercise\.(contractId|templateId|consuming|children))/,
  /\.TransferRule 00b1\.exercise\.(consuming|choiceId)$/,
  /\.Holding 00..\..*argument\.(operator|provider|registrar|label|instrument\.scheme)\b/,
  /\.Holding 00..\..*argument\.instrument$/,
  /\.Holding 00..\.exercise\.choiceId$/,
  /\.Holding 00c7\.create\.argument/,
  /\.lock\.optional\b/,
];

const scenarios = [ownScenario(), registryScenario('direct'), registryScenario('offer')];

/** As decoded from its bytes: nothing in it is shared. */
const fresh = (scenario: (typeof scenarios)[number]): PreparedTransaction =>
  PreparedTransaction.fromBinary(PreparedTransaction.toBinary(messageOf(scenario)));

const places = scenarios.flatMap((scenario) =>
  placesIn(fresh(scenario)).map((place) => ({ scenario, place })),
);
/** Which place, and by how much: small numbers, so that a failure reads as one. */
const changes = fc.record({ at: fc.nat(places.length - 1), by: fc.integer({ min: 1, max: 9 }) });

/** The name of what was changed and is signed all the same; null: no signature. */
async function signedAfter(
  { at, by }: { at: number; by: number },
  tellsHash: boolean,
): Promise<string | null> {
  const { scenario, place } = places[at] as (typeof places)[number];
  const message = fresh(scenario);
  mutate(message, place, by);
  // A content that not even the package can hash has no hash that could be told.
  const told = tellsHash ? await seal(message).catch(() => null) : await seal(fresh(scenario));
  if (told === null) return null;
  const prepared = { ...told, transaction: PreparedTransaction.toBinary(message) };
  const seen = await inspectPrepared(prepared, scenario.expected);
  return seen.kind === 'ok' ? place.name : null;
}

test('one field changed, and its hash with it: no signature, unless the field moves nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(changes, async (change) => {
      const signed = await signedAfter(change, true);
      if (signed !== null && !NEUTRAL.some((name) => name.test(signed))) throw new Error(`signed: ${signed}`);
    }),
    { numRuns: LONG ? 4_000 : 80 },
  );
  t.pass();
});

/** What no hash of V2 covers: the bound, which is looked at by itself, and a copy of what the contract says. */
const UNHASHED = /\.eventBlob$/;

test('one field changed behind its hash: no signature, whatever the field', async (t) => {
  await fc.assert(
    fc.asyncProperty(changes, async (change) => {
      const signed = await signedAfter(change, false);
      if (signed !== null && !UNHASHED.test(signed)) throw new Error(`signed: ${signed}`);
    }),
    { numRuns: LONG ? 2_000 : 50 },
  );
  t.pass();
});
