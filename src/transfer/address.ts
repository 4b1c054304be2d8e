/**
 * Ethereum addresses as text. Rows carry the form with mixed-case checksum (EIP-55) and are matched with `users`
 * letter by letter, so nothing here needs to compute the checksum; only the form is judged.
 */
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

export const isAddress = (text: string): boolean => ADDRESS.test(text);

/** The key of a token: files and rows may differ in case, an address does not. */
export const tokenKey = (address: string): string => address.toLowerCase();

const TX_HASH = /^0x[0-9a-f]{64}$/;

/** 32 bytes: more or fewer would still be a legal command id, but never the hash of a transaction. */
export const isTxHash = (text: string): boolean => TX_HASH.test(text);
