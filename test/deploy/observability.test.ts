// Documents, dashboard and alert rules speak of metrics that there are, and of each that there is. What the rules do is tested
// by promtool (`.ci/observability.sh`).
import { readFileSync } from 'node:fs';
import test from 'ava';
import { NEVER } from 'rxjs';
import { parse } from 'yaml';
import { createMetrics } from '../../src/observe/metrics.js';

const read = (file: string): string => readFileSync(file, 'utf8');

const OURS = /\b(?:canton_submitter|api_server_ethrpc_submitter)_[a-z_]+\b/g;

interface Described {
  readonly type: string;
  readonly help: string;
}

async function registry(): Promise<ReadonlyMap<string, Described>> {
  const metrics = createMetrics({
    events$: NEVER,
    queue: async () => ({ now: 0, queue: {}, due: { claimable: 0, oldestMs: null, paused: 0 }, pauses: [] }),
    clock: { elapsed: () => 0 },
    version: '1.2.3',
  });
  const text = await metrics.text();
  const help = new Map(
    [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = '', what = '']) => [name, what]),
  );
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [
      name,
      { type, help: help.get(name) ?? '' },
    ]),
  );
}

const ours = (names: Iterable<string>): string[] =>
  [...names].filter((name) => name.match(OURS)?.[0] === name);

/** As PromQL names the parts of a histogram. */
const baseOf = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');

function unknown(expressions: readonly string[], known: ReadonlyMap<string, Described>): string[] {
  return expressions.flatMap((expr) =>
    (expr.match(/\b(?:canton_submitter|api_server|process|nodejs)_[a-z0-9_]+\b/g) ?? []).filter((name) => {
      const histogram = known.get(baseOf(name))?.type === 'histogram';
      return name === baseOf(name) ? !known.has(name) || histogram : !histogram && !known.has(name);
    }),
  );
}

test('docs/metrics.md describes every metric, once, and no other', async (t) => {
  const known = await registry();
  const documented = [...read('docs/metrics.md').matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+)/gm)];
  t.deepEqual(documented.map(([, name = '']) => name).sort(), ours(known.keys()).sort());
  for (const [, name = '', unit = ''] of documented) {
    const { type = '', help = '' } = known.get(name) ?? {};
    t.true(help.length > 0, name);
    t.is(unit.includes('histogram'), type === 'histogram', `${name} is a ${type}`);
    if (/_seconds$/.test(name)) t.regex(unit, /^s\b/, name);
    if (type === 'counter') t.regex(name, /_total$/);
  }
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

test('each alert speaks of metrics that there are, and links to a section that there is; each section belongs to an alert', async (t) => {
  const known = await registry();
  const { groups } = parse(read('deploy/prometheus/alerts.yml')) as {
    groups: readonly { readonly rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  t.deepEqual(
    unknown(
      rules.map(({ expr }) => expr),
      known,
    ),
    [],
  );
  for (const { alert, labels, annotations } of rules) {
    t.regex(labels.severity, /^(critical|warning)$/, alert);
    t.truthy(annotations.summary && annotations.description, alert);
    const [, file = '', anchor = ''] = /^(docs\/[\w-]+\.md)#(.+)$/.exec(annotations.runbook_url ?? '') ?? [];
    const anchors = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
    t.true(anchors.includes(anchor), `${alert}: ${annotations.runbook_url} leads nowhere`);
  }
  const sections = [...read('docs/alerts.md').matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name);
  t.deepEqual(sections.sort(), rules.map(({ alert }) => alert).sort());
});

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

test('the dashboard is one that Grafana imports, and asks for metrics that there are', async (t) => {
  const known = await registry();
  const dashboard = JSON.parse(read('deploy/grafana/canton-submitter.json')) as {
    readonly uid: string;
    readonly title: string;
    readonly schemaVersion: number;
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string }[] };
  };
  t.true(dashboard.uid.length > 0 && dashboard.title.length > 0 && dashboard.schemaVersion >= 36);
  t.deepEqual(
    dashboard.templating.list.map(({ name }) => name),
    ['datasource', 'job'],
  );
  const { panels } = dashboard;
  t.is(new Set(panels.map(({ id }) => id)).size, panels.length, 'ids of panels are unique');
  for (const panel of panels) {
    const { x, w } = panel.gridPos;
    t.true(x >= 0 && w > 0 && x + w <= 24, `${panel.title} fits the grid`);
    if (panel.type === 'row') continue;
    t.truthy(panel.description, `${panel.title} says what it shows`);
    t.true((panel.targets?.length ?? 0) > 0, panel.title);
  }
  const overlapping = panels.filter((a) => panels.some((b) => b !== a && overlap(a, b)));
  t.deepEqual(
    overlapping.map(({ title }) => title),
    [],
  );
  const expressions = panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => expr));
  t.deepEqual(unknown(expressions, known), []);
  for (const expr of expressions) {
    const free = expr.match(OURS)?.filter((name) => !expr.includes(`${name}{job="$job"`)) ?? [];
    t.deepEqual(free, [], 'each metric is asked for one job');
  }
});

const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
