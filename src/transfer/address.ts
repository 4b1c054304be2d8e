/**
 * Ethereum addresses as text, in any case, with or without 0x: they are compared by value, here and in the database.
 * The EIP-55 checksum helps people; nothing here depends on it.
 */
const ADDRESS = /^(0[xX])?[0-9a-fA-F]{40}$/;

export const isAddress = (text: string): boolean => ADDRESS.test(text);

/** The key of a token: files and rows may spell its address differently. */
export const tokenKey = (address: string): string => `0x${address.toLowerCase().replace(/^0x/, '')}`;

const TX_HASH = /^0x[0-9a-f]{64}$/;

/** 32 bytes. More or fewer would still be a legal command id, but not the hash of a transaction. */
export const isTxHash = (text: string): boolean => TX_HASH.test(text);
