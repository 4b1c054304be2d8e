// The token standard's AnyValue, which choice contexts consist of. Kept as text, whatever Daml makes of it, so that
// it survives a journal unchanged.

export type AnyValue =
  | {
      readonly tag: 'AV_Text' | 'AV_Party' | 'AV_ContractId' | 'AV_Decimal' | 'AV_Int';
      readonly value: string;
    }
  | {
      /** Days since 1970, microseconds since 1970, and a number of microseconds. */
      readonly tag: 'AV_Date' | 'AV_Time' | 'AV_RelTime';
      readonly value: string;
    }
  | { readonly tag: 'AV_Bool'; readonly value: boolean }
  | { readonly tag: 'AV_List'; readonly value: readonly AnyValue[] }
  | { readonly tag: 'AV_Map'; readonly value: TextMap<AnyValue> };

/** In the order in which it was sent, because the order of a map is part of what is signed. */
export type TextMap<V> = readonly (readonly [key: string, value: V])[];

export function lookUp<V>(map: TextMap<V>, key: string): V | undefined {
  return map.find(([name]) => name === key)?.[1];
}
