/**
 * Instances of two versions can share a table only if this number is the same; any other instance claims nothing (P30).
 * 2: a lane is a sender by value, deaths are settled under the pins they were read under, an ended hash is never claimed.
 */
export const PROTOCOL = 2;
