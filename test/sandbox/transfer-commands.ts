// The command of a transfer, as the Ledger API takes it.
import {
  Command,
  Commands,
  type DisclosedContract,
  ExerciseCommand,
} from '#proto/com/daml/ledger/api/v2/commands.js';
import {
  Record as DamlRecord,
  Identifier,
  List,
  RecordField,
  TextMap,
  TextMapEntry,
  Value,
} from '#proto/com/daml/ledger/api/v2/value.js';
import type { Sandbox } from '../../src/sandbox/index.js';

export interface TransferSpec {
  readonly commandId: string;
  readonly sender: string;
  readonly receiver: string;
  readonly amount: string;
  readonly inputs: readonly string[];
  readonly instrument?: string;
  /** Default: the issuer, its factory, and nothing of a registry. */
  readonly admin?: string;
  readonly factory?: string;
  readonly context?: Record<string, Value>;
  readonly disclosed?: readonly DisclosedContract[];
  readonly submissionId?: string;
  readonly userId?: string;
  readonly readAs?: readonly string[];
  /** Microseconds; defaults: 5 s ago, and one day ahead. */
  readonly requestedAt?: number;
  readonly executeBefore?: number;
  readonly dedup?: Pick<Commands, 'deduplicationOffset'> | Pick<Commands, 'deduplicationDuration'>;
}

const recordValue = (fields: Record<string, Value>) =>
  new Value({
    record: new DamlRecord({
      fields: Object.entries(fields).map(([label, value]) => new RecordField({ label, value })),
    }),
  });
const emptyMeta = () => recordValue({ values: textMap({}) });

function textMap(values: Record<string, Value>): Value {
  const entries = Object.entries(values).map(([key, value]) => new TextMapEntry({ key, value }));
  return new Value({ textMap: new TextMap({ entries }) });
}

export const nowMicros = () => Math.floor((performance.timeOrigin + performance.now()) * 1000);

export function identifier(text: string): Identifier {
  const [packageId = '', moduleName = '', entityName = ''] = text.split(':');
  return new Identifier({ packageId, moduleName, entityName });
}

export const FACTORY_INTERFACE =
  '#splice-api-token-transfer-instruction-v1:Splice.Api.Token.TransferInstructionV1:TransferFactory';
export const HOLDING_INTERFACE = '#splice-api-token-holding-v1:Splice.Api.Token.HoldingV1:Holding';
export const FACTORY_TEMPLATE = '#cip56-token:CIP56.TransferFactory:CIP56TransferFactory';
export const HOLDING_TEMPLATE = '#cip56-token:CIP56.Token:CIP56Holding';

export function transferCommands(
  spec: TransferSpec,
  on: Pick<Sandbox, 'issuer' | 'synchronizerId'>,
  factory: string,
): Commands {
  const admin = spec.admin ?? on.issuer;
  const argument = recordValue({
    expectedAdmin: new Value({ party: admin }),
    transfer: recordValue({
      sender: new Value({ party: spec.sender }),
      receiver: new Value({ party: spec.receiver }),
      amount: new Value({ numeric: spec.amount }),
      instrumentId: recordValue({
        admin: new Value({ party: admin }),
        id: new Value({ text: spec.instrument ?? 'DEMO' }),
      }),
      requestedAt: new Value({ timestamp: `${spec.requestedAt ?? nowMicros() - 5_000_000}` }),
      executeBefore: new Value({ timestamp: `${spec.executeBefore ?? nowMicros() + 86_400_000_000}` }),
      inputHoldingCids: new Value({
        list: new List({ elements: spec.inputs.map((contractId) => new Value({ contractId })) }),
      }),
      meta: emptyMeta(),
    }),
    extraArgs: recordValue({
      context: recordValue({ values: textMap(spec.context ?? {}) }),
      meta: emptyMeta(),
    }),
  });
  const exercise = new ExerciseCommand({
    templateId: identifier(FACTORY_INTERFACE),
    contractId: spec.factory ?? factory,
    choice: 'TransferFactory_Transfer',
    choiceArgument: argument,
  });
  const commands = new Commands({
    userId: spec.userId ?? 'mempool-submitter',
    commandId: spec.commandId,
    submissionId: spec.submissionId ?? `s-${spec.commandId}`,
    actAs: [spec.sender],
    readAs: [...(spec.readAs ?? [admin])],
    disclosedContracts: [...(spec.disclosed ?? [])],
    synchronizerId: on.synchronizerId,
    commands: [new Command({ exercise })],
  });
  return Object.assign(commands, spec.dedup);
}
