// A plot of one scenario: groups of bars, one group a result, one bar a system, a line from least to greatest round. SVG,
// by hand: nothing of it moves, and it reads the same in a dark page.
import type { Measured } from './results.js';

const WIDTH = 760;
const LEFT = 150;
const RIGHT = 90;
const BAR = 16;
const GAP = 14;
const TOP = 34;
/** As wide as one is on average. */
const LETTER = 6.5;
const COLOURS: Readonly<Record<string, string>> = {
  ours: '#1f7a5c',
  floor: '#8a8f98',
  'graphile-worker': '#c9772b',
  'pg-boss': '#5b76c4',
  poller: '#b0545f',
};
const OTHERS = ['#6f5aa8', '#4a8fa3', '#a3924a'];

/** Beyond this, bars are as long as their logarithm. */
const LOGARITHMIC_FROM = 50;

interface Bar {
  readonly system: string;
  readonly value: number;
  readonly spread: readonly [number, number];
}

export function plot(title: string, figure: string, results: readonly Measured[]): string {
  const groups = results.map(({ label, systems }) => ({ label, bars: barsOf(systems, figure) }));
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const least = Math.min(...values.filter((value) => value > 0));
  const greatest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ spread }) => spread[1])));
  const isLogarithmic = greatest / least > LOGARITHMIC_FROM;
  const x = (value: number): number => {
    const room = WIDTH - LEFT - RIGHT;
    if (!isLogarithmic) return (value / greatest) * room;
    const [from, to] = [Math.log(least / 2), Math.log(greatest)];
    return value <= 0 ? 0 : Math.max(1, ((Math.log(value) - from) / (to - from)) * room);
  };
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ system }) => system)))];
  const colour = (name: string): string =>
    COLOURS[name] ?? OTHERS[names.indexOf(name) % OTHERS.length] ?? '#888';

  let y = TOP;
  const body = groups.map(({ label, bars }) => {
    const middle = y + (bars.length * BAR) / 2 + 4;
    const drawn = bars.map((bar) => {
      const line = drawBar(bar, y, x, colour(bar.system));
      y += BAR;
      return line;
    });
    y += GAP;
    return `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>${drawn.join('')}`;
  });
  let at = LEFT;
  const legend = names.map((name) => {
    const from = at;
    at += name.length * LETTER + 34;
    return `<rect x="${from}" y="${y}" width="10" height="10" fill="${colour(name)}"/><text x="${from + 14}" y="${y + 9}">${escaped(name)}</text>`;
  });
  const height = y + 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#6b7280">
<title>${escaped(title)}</title>
<text x="${LEFT}" y="18" font-weight="600">${escaped(title)}${isLogarithmic ? ' (logarithmic)' : ''}</text>
${[...body, ...legend].join('\n')}
</svg>
`;
}

function drawBar({ value, spread }: Bar, y: number, x: (value: number) => number, fill: string): string {
  const [low, high] = spread.map((one) => (LEFT + x(one)).toFixed(1));
  const middle = y + BAR / 2 - 1;
  return [
    `<rect x="${LEFT}" y="${y}" width="${x(value).toFixed(1)}" height="${BAR - 3}" fill="${fill}"/>`,
    `<line x1="${low}" x2="${high}" y1="${middle}" y2="${middle}" stroke="#111827" stroke-opacity="0.55"/>`,
    `<text x="${(Number(high) + 5).toFixed(1)}" y="${y + BAR - 5}">${shown(value)}</text>`,
  ].join('');
}

const barsOf = (systems: Measured['systems'], figure: string): Bar[] =>
  Object.entries(systems).flatMap(([system, summary]) => {
    const value = summary[figure];
    return typeof value === 'number'
      ? [{ system, value, spread: summary.spread[figure] ?? ([value, value] as const) }]
      : [];
  });

export const shown = (value: number): string =>
  value >= 1_000
    ? value.toLocaleString('en', { maximumFractionDigits: 0 })
    : `${Number(value.toPrecision(3))}`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
