// Numbers, spans and times as people read them.

/** @param {number} n */
export const number = (n) => n.toLocaleString('en');

/** @param {number} ms */
export function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const [size, name] = /** @type {const} */ ([
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ]).find(([size]) => ms >= size) ?? [1000, 's'];
  const value = ms / size;
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${name}`;
}

/** `0x12345678…abcd`: enough to tell two apart. @param {string} text */
export const short = (text) => (text.length > 16 ? `${text.slice(0, 8)}…${text.slice(-4)}` : text);

/** With its zone, since `show` and the log say UTC. */
const CLOCK = new Intl.DateTimeFormat('en', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});
/** @param {number} ms */
export const clock = (ms) => CLOCK.format(ms);

/** `12345.678` → `12,345.678`, whatever its size. @param {string} text */
export const amount = (text) => text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
