/** What instances of two versions must share to work on one table. An instance of another number claims nothing (P30). */
export const PROTOCOL = 1;
