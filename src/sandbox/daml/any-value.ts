// AnyValue of the token standard's metadata: what a choice context holds. Text, whatever Daml makes of it, so that it
// goes into a journal and comes back the same.

export type AnyValue =
  | {
      readonly tag: 'AV_Text' | 'AV_Party' | 'AV_ContractId' | 'AV_Decimal' | 'AV_Int';
      readonly value: string;
    }
  | {
      /** Days since 1970, microseconds since then, and how many. */
      readonly tag: 'AV_Date' | 'AV_Time' | 'AV_RelTime';
      readonly value: string;
    }
  | { readonly tag: 'AV_Bool'; readonly value: boolean }
  | { readonly tag: 'AV_List'; readonly value: readonly AnyValue[] }
  | { readonly tag: 'AV_Map'; readonly value: TextMap<AnyValue> };

/** In the order in which it was sent: the order of a map is part of what is signed. */
export type TextMap<V> = readonly (readonly [key: string, value: V])[];

export function lookUp<V>(map: TextMap<V>, key: string): V | undefined {
  return map.find(([name]) => name === key)?.[1];
}
