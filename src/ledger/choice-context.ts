// A registry's choice context as a Daml value: `ChoiceContext {values: TextMap AnyValue}` of the token standard.
import { List, TextMap, TextMapEntry, Value, Variant } from '#proto/com/daml/ledger/api/v2/value.js';
import type { AnyValue } from '../core/transfer.js';
import * as daml from './values.js';

/** Keys sorted, so that the same context is the same bytes. */
export const contextValue = (values: ReadonlyMap<string, AnyValue>): Value =>
  daml.record({ values: textMap(values) });

const textMap = (values: ReadonlyMap<string, AnyValue>): Value =>
  new Value({
    textMap: new TextMap({
      entries: [...values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => new TextMapEntry({ key, value: anyValue(value) })),
    }),
  });

const anyValue = (any: AnyValue): Value =>
  new Value({ variant: new Variant({ constructorName: any.tag, value: held(any) }) });

function held(any: AnyValue): Value {
  switch (any.tag) {
    case 'AV_Text':
      return daml.text(any.value);
    case 'AV_Party':
      return daml.party(any.value);
    case 'AV_ContractId':
      return new Value({ contractId: any.value });
    case 'AV_Decimal':
      return new Value({ numeric: any.value });
    case 'AV_Int':
      return new Value({ int64: any.value });
    case 'AV_Bool':
      return new Value({ bool: any.value });
    case 'AV_Date':
      return new Value({ date: any.value });
    case 'AV_Time':
      return daml.timestamp(any.value);
    case 'AV_RelTime':
      return daml.record({ microseconds: new Value({ int64: any.value.toString() }) });
    case 'AV_List':
      return new Value({ list: new List({ elements: any.value.map(anyValue) }) });
    case 'AV_Map':
      // The standard's Daml says `TextMap AnyValue`; a list of pairs would not type-check.
      return textMap(any.value);
  }
}
