// LOG_FORMAT=text: the same lines for a person at a terminal. `17:31:33.123 info  completed  row=1 txHash=0x…`

/** What every line has, and what stands first. */
const KNOWN = new Set(['level', 'time', 'instance', 'msg']);

/** From a finished line of JSON, in which secrets are hidden already. */
export function textLine(json: string): string {
  const { level, time, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const fields = Object.entries(rest)
    .filter(([name, value]) => !KNOWN.has(name) && value !== '')
    .map(([name, value]) => `  ${name}=${plain(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${msg}${fields.join('')}\n`;
}

/** Quoted where it would not be seen where it ends; still one line, since JSON quotes line breaks too. */
function plain(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@+*#-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}
