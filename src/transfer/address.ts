/**
 * Ethereum addresses as text, in any case, with 0x or without: they are compared by value, here and in the database. The
 * checksum of EIP-55 is a help for people, and nothing is judged by it.
 */
const ADDRESS = /^(0[xX])?[0-9a-fA-F]{40}$/;

export const isAddress = (text: string): boolean => ADDRESS.test(text);

/** The key of a token: files and rows may spell it differently, an address does not. */
export const tokenKey = (address: string): string => `0x${address.toLowerCase().replace(/^0x/, '')}`;

const TX_HASH = /^0x[0-9a-f]{64}$/;

/** 32 bytes: more or fewer would still be a legal command id, but never the hash of a transaction. */
export const isTxHash = (text: string): boolean => TX_HASH.test(text);
