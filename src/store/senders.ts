// What a row of `users` (alias u) says of a sender, as the claim reads it.

/** The stored party; null where there is none, or no such user. */
export const PARTY = "coalesce(nullif(u.canton_party_id, ''), nullif(u.canton_party, ''))";

/** No key here and none elsewhere: the participant acts for the party. Null where there is no such user. */
export const HOSTED = "(nullif(u.canton_private_key_encrypted, '') is null and u.key_mode <> 'external')";
