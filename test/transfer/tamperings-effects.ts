// What a participant might make a transfer of our own token do, and how its refusal begins.
import { DamlTransaction_Node as Node, type PreparedTransaction } from '@canton-network/core-ledger-proto';
import { archive } from './prepared.js';
import { ALICE, BOB, create, event, ISSUER, MALLORY, other, ownHolding, UNIT } from './prepared-contracts.js';
import {
  addInput,
  addNode,
  createdBy,
  exerciseOf,
  inputOf,
  metadataOf,
  rootOf,
  setField,
} from './prepared-edit.js';
import { type, v } from './prepared-values.js';

type Change = (message: PreparedTransaction) => void;

const theft = ownHolding('00c9', ALICE, 90n * UNIT);

export const effects: ReadonlyArray<readonly [string, RegExp, Change]> = [
  // What it does
  [
    'a holding for a third party',
    /^receiver: 5 for mallory/,
    (m) => setField(createdBy(m, -3).argument, 'owner', v.party(MALLORY)),
  ],
  [
    'the change for a third party',
    /^receiver: 2 for mallory/,
    (m) => setField(createdBy(m, -2).argument, 'owner', v.party(MALLORY)),
  ],
  [
    'less for the receiver',
    /^amount: a holding of 4 for bob/,
    (m) => setField(createdBy(m, -3).argument, 'amount', v.numeric(4n * UNIT)),
  ],
  [
    'less change',
    /^amount: a holding of 1 for alice/,
    (m) => setField(createdBy(m, -2).argument, 'amount', v.numeric(UNIT)),
  ],
  [
    'the change for the receiver',
    /^amount: a holding of 2 for bob/,
    (m) => Object.assign(createdBy(m, -2), create(ownHolding('00d2', BOB, 2n * UNIT))),
  ],
  [
    'a holding that its owner does not see',
    /^receiver: bob.* does not see 00d1/,
    (m) => Object.assign(createdBy(m, -3), { stakeholders: [ISSUER] }),
  ],
  [
    "a holding in another issuer's name",
    /^instrument: 00d1 is not our issuer's/,
    (m) => setField(createdBy(m, -3).argument, 'issuer', v.party(MALLORY)),
  ],
  [
    'worthless money for the receiver',
    /^instrument: DEMO of mallory/,
    (m) =>
      setField(
        createdBy(m, -3).argument,
        'instrumentId',
        v.record({ admin: v.party(MALLORY), id: v.text('DEMO') }),
      ),
  ],
  [
    'money that its admin did not sign',
    /^instrument: its admin did not sign/,
    (m) => Object.assign(createdBy(m, -3), { signatories: [MALLORY], stakeholders: [BOB, MALLORY] }),
  ],
  [
    'locked money for the receiver',
    /^extra node: a locked holding/,
    (m) => setField(createdBy(m, -3).argument, 'lock', v.some(v.record({}))),
  ],
  [
    'money of another template',
    /^extra node: a Fake:Holding/,
    (m) => Object.assign(createdBy(m, -3), { templateId: type('Fake', 'Holding') }),
  ],
  [
    'money of another package',
    /^extra node: a holding that cannot/,
    (m) => Object.assign(createdBy(m, -3), { packageName: 'fake' }),
  ],
  [
    'a third holding',
    /^extra node: a holding of 1 for bob/,
    (m) => addNode(m, { create: ownHolding('00d9', BOB, UNIT) }),
  ],
  [
    'another contract',
    /^extra node: a Utility\.Registry\.App:Promise/,
    (m) => addNode(m, { create: other('00d9', 'Promise', [ALICE]) }),
  ],
  ['two events', /^extra node: 2 transfer events/, (m) => addNode(m, { create: { ...event(), id: '00ef' } })],
  [
    'an event of another transfer',
    /^event:/,
    (m) => setField(createdBy(m, -1).argument, 'toParty', v.some(v.party(MALLORY))),
  ],
  [
    'an event of another amount',
    /^event:/,
    (m) => setField(createdBy(m, -1).argument, 'amount', v.numeric(UNIT)),
  ],
  [
    'another holding spent',
    /^extra input: 00c9 of the sender is consumed/,
    (m) => {
      addNode(m, archive(theft, [ISSUER]));
      addInput(m, theft);
    },
  ],
  [
    'another choice on a contract of the sender',
    /^extra node: Empty on 00c9/,
    (m) => {
      addNode(m, { exercise: theft, choice: 'Empty', consuming: false, by: [ALICE] });
      addInput(m, theft);
    },
  ],
  [
    'an input that is kept',
    /^missing input: 00c2 is not consumed/,
    (m) => Object.assign(exerciseOf(m, 4), { consuming: false }),
  ],
  [
    'an input spent twice',
    /^extra node: 00c1 is consumed twice/,
    (m) => addNode(m, archive(ownHolding('00c1', ALICE, 4n * UNIT), [ISSUER])),
  ],
  [
    'something below an archival',
    /^extra node: Archive on 00c2/,
    (m) => addNode(m, { fetch: ownHolding('00c2', ALICE, 3n * UNIT) }, 4),
  ],
  [
    'the choice of somebody else on the way',
    /^extra node: Sweep on 00b9/,
    (m) => {
      const rule = other('00b9', 'Rule', [MALLORY]);
      addNode(m, { exercise: rule, choice: 'Sweep', consuming: false, by: [ALICE] });
      addInput(m, rule);
    },
  ],
  // Its inputs
  [
    "somebody else's holding",
    /^input: 00c1 is not a holding of the sender/,
    (m) => setField(inputOf(m, 1).argument, 'owner', v.party(BOB)),
  ],
  [
    'a holding of another instrument',
    /^instrument: GOLD/,
    (m) =>
      setField(
        inputOf(m, 1).argument,
        'instrumentId',
        v.record({ admin: v.party(ISSUER), id: v.text('GOLD') }),
      ),
  ],
  [
    'a holding that says more than it has',
    /^amount: a holding of 2/,
    (m) => setField(inputOf(m, 1).argument, 'amount', v.numeric(40n * UNIT)),
  ],
  [
    'less than the amount',
    /^amount: the inputs come to 4\.5/,
    (m) => setField(inputOf(m, 1).argument, 'amount', v.numeric(15n * (UNIT / 10n))),
  ],
  [
    'a locked holding',
    /^input: 00c1 is locked/,
    (m) => setField(inputOf(m, 1).argument, 'lock', v.some(v.record({}))),
  ],
  [
    'an input of another template',
    /^input contracts: 00c1 is another/,
    (m) => Object.assign(inputOf(m, 1), { templateId: type('Fake', 'Holding') }),
  ],
  [
    'an input with other stakeholders',
    /^input contracts: 00c1 is another/,
    (m) => inputOf(m, 1).stakeholders.push(MALLORY),
  ],
  ['an input that nothing uses', /^extra input: 00c9 is among/, (m) => addInput(m, theft)],
  [
    'an input twice among the contracts',
    /^extra input: 00c1 is among the input contracts twice/,
    (m) => addInput(m, ownHolding('00c1', ALICE, 4n * UNIT)),
  ],
  ['a contract that is not told', /^input contracts: 00c2/, (m) => metadataOf(m).inputContracts.splice(2, 1)],
  [
    'a contract of a kind that is not known',
    /^input contracts: one is of a kind/,
    (m) => Object.assign(metadataOf(m).inputContracts[1] ?? {}, { contract: { oneofKind: undefined } }),
  ],
  // Nodes
  [
    'a node that hangs nowhere',
    /^extra node: 8 is not below the root/,
    (m) =>
      m.transaction?.nodes.push(
        Node.create({ nodeId: '8', versionedNode: m.transaction.nodes[1]?.versionedNode as never }),
      ),
  ],
  [
    'a node with two parents',
    /^extra node: 1 is not there, or has two parents/,
    (m) => rootOf(m).children.push('1'),
  ],
  [
    'two nodes of one id',
    /^extra node: two have the same id/,
    (m) => m.transaction?.nodes.push(m.transaction.nodes[1] as Node),
  ],
  [
    'a seed of another length, by which one hash could be read in two ways',
    /^seed: of node 5/,
    (m) => m.transaction?.nodeSeeds.splice(3, 1, { nodeId: 5, seed: Buffer.alloc(33) }),
  ],
  ['a node without a seed', /^seed: of node 5/, (m) => m.transaction?.nodeSeeds.splice(3, 1)],
  [
    'an archival by somebody else',
    /^extra node: Archive on 00c1/,
    (m) => Object.assign(exerciseOf(m, 2), { actingParties: [ALICE] }),
  ],
  [
    'another way to consume an input',
    /^extra node: Burn on 00c1/,
    (m) => Object.assign(exerciseOf(m, 2), { choiceId: 'Burn' }),
  ],
  [
    "a use under another package's name",
    /^input contracts: 00c1 is another/,
    (m) => Object.assign(exerciseOf(m, 2), { packageName: 'fake' }),
  ],
  [
    'an event that names its instrument in a way we do not know',
    /^event:/,
    (m) => setField(createdBy(m, -1).argument, 'instrumentId', v.text('DEMO')),
  ],
  [
    'a seed of a node that is not there',
    /^seed: of a node that is not there/,
    (m) => m.transaction?.nodeSeeds.push({ nodeId: 77, seed: Buffer.alloc(32) }),
  ],
  [
    'two seeds of a node',
    /^seed: a node has two/,
    (m) => m.transaction?.nodeSeeds.push({ nodeId: 2, seed: Buffer.alloc(32) }),
  ],
  [
    'something rolled back',
    /^extra node: 1 is of a kind that no transfer has/,
    (m) =>
      Object.assign(m.transaction?.nodes[1] ?? {}, {
        versionedNode: {
          oneofKind: 'v1',
          v1: { nodeType: { oneofKind: 'rollback', rollback: { children: [] } } },
        },
      }),
  ],
  [
    'a kind of node that is not known',
    /^extra node: 1 is of a kind that no transfer has/,
    (m) => Object.assign(m.transaction?.nodes[1] ?? {}, { versionedNode: { oneofKind: undefined } }),
  ],
  [
    'a contract id that is not hex',
    /^contract id: 00xy/,
    (m) => Object.assign(createdBy(m, -3), { contractId: '00xy' }),
  ],
  [
    'a contract made twice',
    /^extra node: 00d1 is made twice/,
    (m) => Object.assign(createdBy(m, -2), { contractId: '00d1' }),
  ],
];
