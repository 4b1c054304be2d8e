/** Nonces and offsets are bigints: as text, since JSON readers would round them. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
