// A sandbox whose times are in the pace of this machine: the ledger's own, and those of faults and controls. A world that
// is slow as a whole behaves as one that is fast: what outlasts what stays the same.
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/index.js';
import { PACE, scaled } from './pace.js';
import { HANG_MS } from './time.js';

/** The method that prepares an external sender's transfer, for faults and the audit. */
export const PREPARE = 'InteractiveSubmissionService/PrepareSubmission';
/** A ledger that no stall of this machine costs a call. */
export const PATIENT = { timeScale: 0.2 };

export async function startPacedSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { timeScale = 1 } = options;
  const sandbox = await startSandbox({ ...inPace(options, NOMINAL), timeScale: timeScale * PACE });
  const { audit, faults } = sandbox;
  const [add, control, until] = [
    faults.add.bind(faults),
    sandbox.control.bind(sandbox),
    audit.until.bind(audit),
  ];
  faults.add = (fault) => add({ ...fault, do: inPace(fault.do) });
  sandbox.control = (what) => control(inPace(what));
  audit.until = (holds, timeoutMs = 0) => until(holds, Math.max(timeoutMs, HANG_MS));
  return sandbox;
}

/** What the time scale is for already. */
const NOMINAL = ['toleranceMs', 'maxDeduplicationMs', 'checkpointMs', 'idleCheckpointMs'];

/** The same, with each of its spans in the pace of this machine. */
function inPace<T extends object>(what: T, but: readonly string[] = []): T {
  const entries = Object.entries(what).map(([name, value]) => [
    name,
    typeof value === 'number' && /^ms$|Ms$/.test(name) && !but.includes(name) ? scaled(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
