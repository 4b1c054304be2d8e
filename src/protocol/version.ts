/**
 * What instances of two versions must share to work on one table. An instance of another number claims nothing (P30).
 * 2: a lane is a sender by value, deaths are settled under the pins they were read under, an ended hash is never claimed.
 */
export const PROTOCOL = 2;
