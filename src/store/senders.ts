// What a row of `users` (alias u) says of a sender, as the claim reads it.

/** The row of `users` of that address, however either is spelled; of two, the one that is spelled alike. */
export const USER_OF = (address: string): string => `select a.* from users a
     where mempool_address_v1(a.evm_address) = mempool_address_v1(${address})
     order by (a.evm_address = ${address}) desc, a.id limit 1`;

/** The stored party; null where there is none, or no such user. */
export const PARTY = "coalesce(nullif(u.canton_party_id, ''), nullif(u.canton_party, ''))";

/** No key here and none elsewhere: the participant acts for the party. Null where there is no such user. */
export const HOSTED = "(nullif(u.canton_private_key_encrypted, '') is null and u.key_mode <> 'external')";

/** As `mempool_address_v1` has it: in lower case, without 0x. */
export const byValue = (address: string): string => address.toLowerCase().replace(/^0x/, '');
