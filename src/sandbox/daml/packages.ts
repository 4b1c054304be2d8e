// The packages of the sandbox: their names, ids, and contents. Identifiers are resolved here, strictly. Long because most of it is
// that list.
import { refuse } from '../errors.js';
import { sha256Hex } from '../random.js';

export type TemplateKind =
  | 'holding'
  | 'factory'
  | 'transferEvent'
  | 'utilityHolding'
  | 'utilityFactory'
  | 'utilityRules'
  | 'transferOffer'
  | 'amulet'
  | 'lockedAmulet'
  | 'amuletFactory'
  | 'amuletInstruction'
  | 'deposit'
  | 'depositFactory'
  | 'depositOffer';
export type InterfaceKind = 'Holding' | 'TransferFactory' | 'TransferInstruction';

export interface Definition {
  readonly packageName: string;
  readonly module: string;
  readonly entity: string;
}

export const templates: Readonly<
  Record<TemplateKind, Definition & { readonly implements: readonly InterfaceKind[] }>
> = {
  holding: {
    packageName: 'cip56-token',
    module: 'CIP56.Token',
    entity: 'CIP56Holding',
    implements: ['Holding'],
  },
  factory: {
    packageName: 'cip56-token',
    module: 'CIP56.TransferFactory',
    entity: 'CIP56TransferFactory',
    implements: ['TransferFactory'],
  },
  transferEvent: {
    packageName: 'cip56-token',
    module: 'CIP56.Events',
    entity: 'TokenTransferEvent',
    implements: [],
  },
  utilityHolding: {
    packageName: 'utility-registry-holding-v0',
    module: 'Utility.Registry.Holding.V0.Holding',
    entity: 'Holding',
    implements: ['Holding'],
  },
  utilityFactory: {
    packageName: 'utility-registry-app-v0',
    module: 'Utility.Registry.App.V0.Service.AllocationFactory',
    entity: 'AllocationFactory',
    implements: ['TransferFactory'],
  },
  utilityRules: {
    packageName: 'utility-registry-v0',
    module: 'Utility.Registry.V0.Configuration.Instrument',
    entity: 'InstrumentConfiguration',
    implements: [],
  },
  transferOffer: {
    packageName: 'utility-registry-app-v0',
    module: 'Utility.Registry.App.V0.Model.Transfer',
    entity: 'TransferOffer',
    implements: ['TransferInstruction'],
  },
  amulet: {
    packageName: 'splice-amulet',
    module: 'Splice.Amulet',
    entity: 'Amulet',
    implements: ['Holding'],
  },
  lockedAmulet: {
    packageName: 'splice-amulet',
    module: 'Splice.Amulet',
    entity: 'LockedAmulet',
    implements: ['Holding'],
  },
  amuletFactory: {
    packageName: 'splice-amulet',
    module: 'Splice.ExternalPartyAmuletRules',
    entity: 'ExternalPartyAmuletRules',
    implements: ['TransferFactory'],
  },
  amuletInstruction: {
    packageName: 'splice-amulet',
    module: 'Splice.AmuletTransferInstruction',
    entity: 'AmuletTransferInstruction',
    implements: ['TransferInstruction'],
  },
  deposit: {
    packageName: 'foreign-deposit',
    module: 'Foreign.Deposit',
    entity: 'Deposit',
    implements: ['Holding'],
  },
  depositFactory: {
    packageName: 'foreign-deposit',
    module: 'Foreign.Deposit',
    entity: 'DepositRules',
    implements: ['TransferFactory'],
  },
  depositOffer: {
    packageName: 'foreign-deposit',
    module: 'Foreign.Deposit',
    entity: 'DepositOffer',
    implements: ['TransferInstruction'],
  },
};

export const interfaces: Readonly<Record<InterfaceKind, Definition>> = {
  Holding: {
    packageName: 'splice-api-token-holding-v1',
    module: 'Splice.Api.Token.HoldingV1',
    entity: 'Holding',
  },
  TransferFactory: {
    packageName: 'splice-api-token-transfer-instruction-v1',
    module: 'Splice.Api.Token.TransferInstructionV1',
    entity: 'TransferFactory',
  },
  TransferInstruction: {
    packageName: 'splice-api-token-transfer-instruction-v1',
    module: 'Splice.Api.Token.TransferInstructionV1',
    entity: 'TransferInstruction',
  },
};

/** Records and variants of the token standard, for values that name their type. */
export const dataTypes = {
  Metadata: standard('metadata', 'MetadataV1', 'Metadata'),
  ChoiceContext: standard('metadata', 'MetadataV1', 'ChoiceContext'),
  ExtraArgs: standard('metadata', 'MetadataV1', 'ExtraArgs'),
  AnyValue: standard('metadata', 'MetadataV1', 'AnyValue'),
  InstrumentId: standard('holding', 'HoldingV1', 'InstrumentId'),
  Lock: standard('holding', 'HoldingV1', 'Lock'),
  Transfer: standard('transfer-instruction', 'TransferInstructionV1', 'Transfer'),
  TransferChoice: standard('transfer-instruction', 'TransferInstructionV1', 'TransferFactory_Transfer'),
  Result: standard('transfer-instruction', 'TransferInstructionV1', 'TransferInstructionResult'),
  Output: standard('transfer-instruction', 'TransferInstructionV1', 'TransferInstructionResult_Output'),
  Completed: standard(
    'transfer-instruction',
    'TransferInstructionV1',
    'TransferInstructionResult_Output.TransferInstructionResult_Completed',
  ),
  Pending: standard(
    'transfer-instruction',
    'TransferInstructionV1',
    'TransferInstructionResult_Output.TransferInstructionResult_Pending',
  ),
  Status: standard('transfer-instruction', 'TransferInstructionV1', 'TransferInstructionStatus'),
  Set: { packageName: 'daml-stdlib-DA-Set-Types', module: 'DA.Set.Types', entity: 'Set' },
  Archive: {
    packageName: 'daml-prim-DA-Internal-Template',
    module: 'DA.Internal.Template',
    entity: 'Archive',
  },
} satisfies Readonly<Record<string, Definition>>;
export type DataType = keyof typeof dataTypes;

function standard(api: string, module: string, entity: string): Definition {
  return { packageName: `splice-api-token-${api}-v1`, module: `Splice.Api.Token.${module}`, entity };
}

export const templateKinds = Object.keys(templates) as TemplateKind[];
const interfaceKinds = Object.keys(interfaces) as InterfaceKind[];

/** Nothing here uses `common`, but a client may name it in its package preferences. */
const packageNames = [
  ...new Set(
    [...Object.values(templates), ...Object.values(interfaces), ...Object.values(dataTypes)].map(
      (it) => it.packageName,
    ),
  ),
  'common',
];
const idByName = new Map(packageNames.map((name) => [name, sha256Hex(`package/${name}`)]));
const nameById = new Map([...idByName].map(([name, id]) => [id, name]));

export function packageId(name: string): string {
  const id = idByName.get(name);
  if (id === undefined) throw new Error(`the sandbox has no package ${name}`);
  return id;
}

export function knownPackage(name: string): string | undefined {
  return idByName.get(name);
}

/** `#name`, or an id. */
const packageReference = /^(#[A-Za-z0-9\-_]{1,255}|[A-Za-z0-9\-_ ]{1,64})$/;

export interface IdentifierText {
  readonly packageId: string;
  readonly moduleName: string;
  readonly entityName: string;
}

export type Entity =
  | { readonly kind: 'template'; readonly template: TemplateKind }
  | { readonly kind: 'interface'; readonly interface: InterfaceKind };

/** `by`: in a filter it has to be of that kind; a command's target may be either. */
export interface Sought {
  readonly field: string;
  readonly by: 'template' | 'interface' | 'command';
}

/** By `#name` or by package id. What does not exist is NOT_FOUND, and the error id says what was missing. */
export function resolve(identifier: IdentifierText | undefined, { field, by }: Sought): Entity {
  if (!identifier?.packageId || !identifier.moduleName || !identifier.entityName) {
    refuse('MISSING_FIELD', `The submitted command is missing a mandatory field: ${field}`);
  }
  const { packageId, moduleName, entityName } = identifier;
  if (!packageReference.test(packageId)) {
    refuse(
      'INVALID_FIELD',
      `The submitted command has a field with invalid value: Invalid field package reference: ${JSON.stringify(packageId.slice(0, 64))}`,
      { metadata: { field_name: 'package reference' } },
    );
  }
  const name = packageNameOf(packageId, by);
  const matches = (it: Definition) =>
    it.packageName === name && it.module === moduleName && it.entity === entityName;
  const template = templateKinds.find((kind) => matches(templates[kind]));
  if (template && by !== 'interface') return { kind: 'template', template };
  const found = interfaceKinds.find((kind) => matches(interfaces[kind]));
  if (found && by !== 'template') return { kind: 'interface', interface: found };
  return notFound(packageId, `${moduleName}:${entityName}`, by);
}

/** In a package given by name, and in one given by id. */
function notFound(reference: string, qualifiedName: string, by: Sought['by']): never {
  const text = `${reference}:${qualifiedName}`;
  if (reference.startsWith('#') && by !== 'command') {
    const [id, kind] =
      by === 'template'
        ? (['NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME', 'template'] as const)
        : (['NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME', 'interface'] as const);
    return refuse(
      id,
      `The following package-name/${kind} qualified-name pairs do not reference any ${kind}-id uploaded on this participant: [(${reference.slice(1)},${qualifiedName})].`,
    );
  }
  return refuse('TEMPLATES_OR_INTERFACES_NOT_FOUND', `Templates or interfaces do not exist: [${text}].`, {
    resources: [['TEMPLATE_ID', text]],
  });
}

/** A command's name is looked up among vetted packages, a filter's among uploaded ones. */
function packageNameOf(reference: string, by: Sought['by']): string {
  if (reference.startsWith('#')) {
    const name = reference.slice(1);
    if (idByName.has(name)) return name;
    return by === 'command'
      ? refuse('UNRESOLVED_PACKAGE_NAME', `No package of the name ${name} is vetted`, {
          resources: [['PACKAGE_NAME', name]],
        })
      : refuse(
          'PACKAGE_NAMES_NOT_FOUND',
          `The following package names do not match upgradable packages uploaded on this participant: [${name}].`,
        );
  }
  return (
    nameById.get(reference) ??
    refuse(
      'TEMPLATES_OR_INTERFACES_NOT_FOUND',
      `Templates or interfaces of package ${reference} do not exist.`,
      {
        resources: [['PACKAGE', reference]],
      },
    )
  );
}
