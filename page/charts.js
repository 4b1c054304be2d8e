// The last hour as plots: each with a sentence for those who do not see it, and its figures as a table.
import { byId, h, show, showFacts } from './dom.js';
import { number, span } from './format.js';

/** @type {typeof import('uplot')} */
const Plot = /** @type {any} */ (globalThis).uPlot;
const HEIGHT = 170;
/** Rows of the table of figures. */
const FIGURES = 12;

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color a custom property of the style sheet
 * @property {number[]} [dash] so that lines differ not by their colour alone
 * @property {(history: any) => (number | null)[]} values
 */

/** @typedef {{ title: string, unit: (value: number) => string, steps?: number[], least: number, lines: Line[] }} Chart */

/** Steps of an axis of spans, in ms: what people count by. */
const SPANS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5,
  864e5,
];

/** Steps of an axis of rows: there are no halves of one. */
const ROWS = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5].map((ten) => step * ten))
  .sort((a, b) => a - b);

/** @param {number} value */
const rows = (value) => number(Math.round(value));
/** @param {number} value */
const rate = (value) => `${number(Math.round(value * 100) / 100)}/s`;
/** @param {'wait' | 'call'} of @returns {Line[]} */
const latency = (of) => [
  { name: 'median', color: '--s1', values: (history) => history[of].p50 },
  { name: '95th percentile', color: '--s4', dash: [6, 3], values: (history) => history[of].p95 },
];

/** @type {Chart[]} */
const CHARTS = [
  {
    title: 'Pending rows',
    unit: rows,
    steps: ROWS,
    least: 4,
    lines: [
      { name: 'waiting', color: '--s1', values: (history) => history.rows.waiting },
      { name: 'in flight', color: '--s2', dash: [6, 3], values: (history) => history.rows['in-flight'] },
      { name: 'undecided', color: '--s3', dash: [2, 2], values: (history) => history.rows.undecided },
      { name: 'backoff', color: '--s4', dash: [10, 3], values: (history) => history.rows.backoff },
      { name: 'parked', color: '--s5', dash: [10, 3, 2, 3], values: (history) => history.rows.parked },
    ],
  },
  {
    title: 'Age of the oldest waiting row',
    unit: (value) => span(value * 1000),
    least: 1,
    steps: SPANS.map((ms) => ms / 1000),
    lines: [{ name: 'oldest', color: '--s1', values: (history) => history.oldest }],
  },
  {
    title: 'Rows a second',
    unit: rate,
    least: 1,
    lines: [
      { name: 'completed', color: '--s2', values: (history) => history.completed },
      { name: 'failed', color: '--s5', dash: [6, 3], values: (history) => history.failed },
    ],
  },
  { title: 'From insert to submission', unit: span, steps: SPANS, least: 100, lines: latency('wait') },
  { title: 'From call to outcome', unit: span, steps: SPANS, least: 1_000, lines: latency('call') },
];

/** @type {(() => void)[]} */
let forget = [];
/** @type {any} */
let latest = null;

/** @param {any} history */
export function showHistory(history) {
  latest = history;
  if (forget.length === 0) build();
  for (const [index, chart] of CHARTS.entries()) update(chart, index, history);
  const { completed, failed, parked, calls } = history.totals;
  const ended = completed + failed;
  const retries = history.retries.map(
    (/** @type {any} */ { code, times }) => `${number(times)} × \`${code}\``,
  );
  showFacts(byId('hour'), [
    ['Ended', `${number(completed)} completed, ${number(failed)} failed, ${number(parked)} parked`],
    [
      'Calls per row',
      ended === 0 ? 'no row has ended' : `${(calls / ended).toFixed(2)} (${number(calls)} calls)`,
    ],
    ['Tried again', retries.length === 0 ? 'nothing' : retries.join(', ')],
  ]);
}

/** @type {import('uplot')[]} */
let plots = [];
/** In seconds, by the clock of whoever looks. @param {number} time */
const timeOf = (time) =>
  new Date(time * 1000).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** A value between two gaps, or the very first one, is drawn as a point. @type {any} */
const alone = (/** @type {import('uplot')} */ plot, /** @type {number} */ line) => {
  const values = plot.data[line] ?? [];
  return [...values.keys()].filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
};

function build() {
  const container = byId('charts');
  container.replaceChildren();
  plots = [];
  const style = getComputedStyle(document.documentElement);
  const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  for (const chart of CHARTS) {
    const canvas = h('div', { 'aria-hidden': 'true' });
    const figure = h(
      'figure',
      null,
      h('figcaption', null, chart.title, ' ', h('span', null)),
      canvas,
      h(
        'details',
        null,
        h('summary', null, 'Figures'),
        h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': `Figures: ${chart.title}` }),
      ),
    );
    container.append(figure);
    const axis = {
      stroke: color('--muted'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { stroke: color('--line') },
    };
    const plot = new Plot(
      {
        width: canvas.clientWidth || 300,
        height: HEIGHT,
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, values: (_, splits) => splits.map((value) => timeOf(value)) },
          {
            ...axis,
            size: 62,
            ...(chart.steps === undefined ? {} : { incrs: chart.steps }),
            values: (_, splits) => splits.map((value) => chart.unit(value)),
          },
        ],
        scales: { y: { range: (_, __, most) => [0, Math.max((most ?? 0) * 1.1, chart.least)] } },
        series: [
          {},
          ...chart.lines.map((line) => ({
            label: line.name,
            stroke: color(line.color),
            width: 1.75,
            ...(line.dash === undefined ? {} : { dash: line.dash }),
            points: { size: 4, filter: alone },
            // The value under the mouse; what is true now stands in the heading.
            value: (/** @type {unknown} */ _, /** @type {number | null} */ value) =>
              value === null ? '' : chart.unit(value),
          })),
        ],
      },
      [[], ...chart.lines.map(() => [])],
      canvas,
    );
    plots.push(plot);
    const observer = new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: HEIGHT }));
    observer.observe(canvas);
    forget.push(() => {
      observer.disconnect();
      plot.destroy();
    });
  }
}

/** @param {Chart} chart @param {number} index @param {any} history */
function update(chart, index, history) {
  const lines = chart.lines.map((line) => line.values(history));
  plots[index]?.setData([history.times, ...lines]);
  const figure = byId('charts').children[index];
  const [summary, table] = [figure?.querySelector('figcaption span'), figure?.querySelector('.scroll')];
  if (!summary || !table) return;
  const now = chart.lines.map(({ name }, at) => {
    const value = lines[at]?.findLast((one) => one !== null) ?? null;
    return value === null ? `${name}: nothing yet` : `${name} ${chart.unit(value)}`;
  });
  summary.textContent = lines.every((line) => line.every((one) => one === null))
    ? 'nothing yet'
    : now.join(', ');
  const every = Math.max(1, Math.floor(history.times.length / FIGURES));
  const picked = history.times
    .map((/** @type {number} */ time, /** @type {number} */ at) => ({ time, at }))
    .filter((/** @type {{ at: number }} */ { at }) => (history.times.length - 1 - at) % every === 0);
  show(table, [picked, lines], () => [
    h(
      'table',
      { class: 'figures' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          ...['until', ...chart.lines.map(({ name }) => name)].map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h(
        'tbody',
        null,
        ...picked.map((/** @type {{ time: number, at: number }} */ { time, at }) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row' }, timeOf(time)),
            ...lines.map((line) => {
              const value = line[at] ?? null;
              return h('td', null, value === null ? '–' : chart.unit(value));
            }),
          ),
        ),
      ),
    ),
  ]);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const one of forget) one();
  forget = [];
  if (latest !== null) showHistory(latest);
});
