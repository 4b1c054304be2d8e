// Daml values as Canton writes them into a prepared transaction: every label, every type, all ten decimal places.
import type { Value } from '@canton-network/core-ledger-proto';
import { formatDecimal } from '../../src/core/decimal.js';

export const v = {
  party: (text: string): Value => ({ sum: { oneofKind: 'party', party: text } }),
  text: (text: string): Value => ({ sum: { oneofKind: 'text', text } }),
  numeric: (units: bigint): Value => {
    const [whole, fraction = ''] = formatDecimal(units).split('.');
    return { sum: { oneofKind: 'numeric', numeric: `${whole}.${fraction.padEnd(10, '0')}` } };
  },
  int: (value: bigint): Value => ({ sum: { oneofKind: 'int64', int64: `${value}` } }),
  time: (micros: bigint): Value => ({ sum: { oneofKind: 'timestamp', timestamp: `${micros}` } }),
  date: (days: number): Value => ({ sum: { oneofKind: 'date', date: days } }),
  id: (contractId: string): Value => ({ sum: { oneofKind: 'contractId', contractId } }),
  list: (elements: Value[]): Value => ({ sum: { oneofKind: 'list', list: { elements } } }),
  none: (): Value => ({ sum: { oneofKind: 'optional', optional: {} } }),
  some: (value: Value): Value => ({ sum: { oneofKind: 'optional', optional: { value } } }),
  variant: (tag: string, value: Value): Value => ({
    sum: { oneofKind: 'variant', variant: { variantId: type('Any', 'AnyValue'), constructor: tag, value } },
  }),
  map: (entries: Record<string, Value> = {}): Value => ({
    sum: {
      oneofKind: 'textMap',
      textMap: { entries: Object.entries(entries).map(([key, value]) => ({ key, value })) },
    },
  }),
  /** The map of a DA.Set of them. */
  parties: (names: string[]): Value => ({
    sum: {
      oneofKind: 'genMap',
      genMap: {
        entries: names.map((name) => ({
          key: v.party(name),
          value: { sum: { oneofKind: 'unit', unit: {} } },
        })),
      },
    },
  }),
  record: (fields: Record<string, Value>): Value => ({
    sum: {
      oneofKind: 'record',
      record: {
        recordId: type('A.Module', 'Record'),
        fields: Object.entries(fields).map(([label, value]) => ({ label, value })),
      },
    },
  }),
};

export const type = (moduleName: string, entityName: string) => ({
  packageId: 'ab'.repeat(32),
  moduleName,
  entityName,
});
