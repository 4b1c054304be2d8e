// Transfers of registries' tokens as real networks record them: the Utility registry's, and Canton Coin.
import type { TransferFactory } from '../../src/core/transfer.js';
import { archive, completed, expecting, pending, type Scenario, type Step, transferOf } from './prepared.js';
import {
  ALICE,
  amuletHolding,
  BOB,
  type Contract,
  DSO,
  NOW,
  OPERATOR,
  offerOf,
  other,
  PROVIDER,
  REGISTRAR,
  registryHolding,
  UNIT,
} from './prepared-contracts.js';

/** The same of a registry's token, `direct` or as an `offer`, as the Utility registry does it on real networks. */
export function registryScenario(transferKind: 'direct' | 'offer', steps: readonly Step[] = []): Scenario {
  const factory = other('00fa', 'AllocationFactory', [REGISTRAR]);
  const rule = other('00b1', 'TransferRule', [REGISTRAR]);
  const inputs = [registryHolding('00c1', ALICE, 4n * UNIT), registryHolding('00c2', ALICE, 3n * UNIT)];
  const split = registryHolding('00c7', ALICE, 7n * UNIT);
  const expected = expecting(REGISTRAR, 'USDCx', registryFactory(transferKind));
  const offered = offerOf(
    '00d3',
    ['Utility.Registry.App.V0.Model.Transfer', 'TransferOffer'],
    transferOf(expected.terms, ['00d1']),
    { signatories: [ALICE, PROVIDER, REGISTRAR], stakeholders: [OPERATOR] },
  );
  const direct: Step[] = [
    { create: other('00d4', 'ExecutedTransfer', [REGISTRAR], [REGISTRAR, ALICE, BOB, PROVIDER, OPERATOR]) },
    { create: registryHolding('00d1', BOB, 5n * UNIT) },
  ];
  const offer: Step[] = [
    { create: registryHolding('00d1', ALICE, 5n * UNIT, { locked: true }) },
    { create: offered },
  ];
  return {
    expected,
    factory,
    inputs: [rule, ...inputs],
    steps: [
      { exercise: rule, choice: 'TransferRule_Transfer', consuming: false, by: [ALICE] },
      ...inputs.map((input) => archive(input, [ALICE, REGISTRAR])),
      // Merged first, then split: what lives only inside the transaction counts for nothing.
      { create: split },
      archive(split, [ALICE, REGISTRAR]),
      ...(transferKind === 'direct' ? direct : offer),
      { create: registryHolding('00d2', ALICE, 2n * UNIT) },
      ...steps,
    ],
    result: transferKind === 'direct' ? completed() : pending('00d3'),
  };
}

/**
 * The same of Canton Coin, with fees: of an offer, what is locked covers those of its acceptance too. The first of the
 * inputs was locked, until five seconds ago.
 */
export function amuletScenario(transferKind: 'direct' | 'offer'): Scenario {
  const factory: Contract = {
    ...other('00fa', 'ExternalPartyAmuletRules', [DSO]),
    template: ['Splice.ExternalPartyAmuletRules', 'ExternalPartyAmuletRules'],
  };
  const rules: Contract = {
    ...other('00b1', 'AmuletRules', [DSO]),
    template: ['Splice.AmuletRules', 'AmuletRules'],
  };
  const round: Contract = {
    ...other('00b2', 'OpenMiningRound', [DSO]),
    template: ['Splice.Round', 'OpenMiningRound'],
  };
  const inputs = [
    amuletHolding('00c1', ALICE, 4n * UNIT, NOW - 5_000_000n),
    amuletHolding('00c2', ALICE, 3n * UNIT),
  ];
  const unlocked = amuletHolding('00c7', ALICE, 4n * UNIT);
  const coupon = (id: string, entity: string): Step => ({
    create: { ...other(id, entity, [DSO], [DSO, ALICE]), template: ['Splice.Amulet', entity] },
  });
  const expected = expecting(DSO, 'Amulet', registryFactory(transferKind));
  const [locked, instruction] = inputs;
  if (locked === undefined || instruction === undefined) throw new Error('two inputs');
  const direct: Step[] = [{ create: amuletHolding('00d1', BOB, 5n * UNIT) }];
  const offer: Step[] = [
    { create: amuletHolding('00d1', ALICE, (11n * UNIT) / 2n, NOW + 86_400_000_000n) },
    {
      create: offerOf(
        '00d3',
        ['Splice.AmuletTransferInstruction', 'AmuletTransferInstruction'],
        transferOf(expected.terms, ['00d1']),
        { signatories: [ALICE, DSO] },
      ),
    },
  ];
  const fee = UNIT / 5n;
  return {
    expected,
    factory,
    inputs: [rules, round, ...inputs],
    steps: [
      { fetch: round },
      { exercise: locked, choice: 'LockedAmulet_OwnerExpireLock', consuming: true, by: [ALICE] },
      { create: unlocked },
      { exercise: rules, choice: 'AmuletRules_Transfer', consuming: false, by: [ALICE, DSO] },
      archive(unlocked, [ALICE, DSO]),
      archive(instruction, [ALICE, DSO]),
      coupon('00e1', 'ValidatorRewardCoupon'),
      coupon('00e2', 'AppRewardCoupon'),
      ...(transferKind === 'direct' ? direct : offer),
      {
        create: amuletHolding(
          '00d2',
          ALICE,
          (transferKind === 'direct' ? 2n * UNIT : (3n * UNIT) / 2n) - fee,
        ),
      },
    ],
    result: transferKind === 'direct' ? completed('0.2') : pending('00d3', '0.2'),
  };
}

const registryFactory = (transferKind: 'direct' | 'offer'): TransferFactory => ({
  kind: 'registry',
  contractId: '00fa',
  context: new Map([['utility.app/rule', { tag: 'AV_ContractId', value: '00b1' }]]),
  disclosed: [],
  transferKind,
});
