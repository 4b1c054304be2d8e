// Times in this machine's pace. Whatever a test does with spans (leases, windows, a ledger's own time, faults that last so
// long) is stretched by it as a whole, so that no span ends before what it was to outlast.
import { measurePace } from './measure-pace.js';

/** 1 on the machine that the spans were chosen on; measured once a run, at its start, and never below. TEST_PACE sets it. */
export const PACE: number = Number(process.env.TEST_PACE ?? (await measurePace()));

/** A span in the pace of this machine, in whole ms. */
export const scaled = (ms: number): number => Math.round(ms * PACE);

/** The longest window that a submitter accepts. */
const LONGEST_WINDOW_MS = 60_000;
export const scaledWindow = (ms: number): number => Math.min(scaled(ms), Math.max(ms, LONGEST_WINDOW_MS));
