// `--profile DIR`: where the time of one instance goes while it works off a backlog, by package or folder and by function.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { backlog } from './measure/block.js';
import type { Context } from './scenario.js';
import { onStage } from './stage/stage.js';
import { prepare } from './systems/all.js';

const ROWS = { smallest: 60, normal: 2_000, full: 10_000 } as const;
const TOP = 25;

export async function profile(folder: string, { size, systems, say }: Context): Promise<void> {
  for (const kind of ['hosted', 'external'] as const) {
    await onStage({ senders: 1_000, latencyMs: 5 }, async (stage) => {
      for (const system of await prepare(stage, systems)) {
        const own = path.resolve(folder, `${kind}-${system.name}`);
        mkdirSync(own, { recursive: true });
        const before = new Set(readdirSync(own));
        const node = ['--cpu-prof', `--cpu-prof-dir=${own}`, '--cpu-prof-interval=500'];
        await backlog(stage, system, { kind, rows: ROWS[size], instances: 1, node });
        const [made] = readdirSync(own).filter((name) => !before.has(name));
        if (made === undefined) throw new Error(`${system.name} wrote no profile`);
        say(`\n${kind}, ${system.name}: ${path.join(own, made)}`);
        for (const line of told(JSON.parse(readFileSync(path.join(own, made), 'utf8')) as Profile)) say(line);
      }
    });
  }
}

interface Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Of a start nobody asks: the last two thirds are the backlog. */
const STARTED = 1 / 3;

function told({ nodes, samples, timeDeltas }: Profile): string[] {
  const self = new Map<number, number>();
  samples.forEach((id, index) => {
    if (index > samples.length * STARTED) self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const byPlace = new Map<string, number>();
  const bySelf = new Map<string, number>();
  const byTotal = new Map<string, number>();
  let busy = 0;
  for (const { id, callFrame } of nodes) {
    const time = self.get(id) ?? 0;
    if (callFrame.functionName === '(idle)' || time === 0) continue;
    busy += time;
    add(byPlace, placeOf(callFrame), time);
    add(bySelf, nameOf(callFrame), time);
  }
  const known = new Map(nodes.map((node) => [node.id, node]));
  const totalOf = (node: Node, above: ReadonlySet<string>): number => {
    const name = nameOf(node.callFrame);
    const within = new Set([...above, name]);
    let total = node.callFrame.functionName === '(idle)' ? 0 : (self.get(node.id) ?? 0);
    for (const id of node.children ?? []) {
      const child = known.get(id);
      if (child !== undefined) total += totalOf(child, within);
    }
    // One that calls itself counts once.
    if (!above.has(name) && placeOf(node.callFrame).startsWith('src/')) add(byTotal, name, total);
    return total;
  };
  const [root] = nodes;
  if (root !== undefined) totalOf(root, new Set());
  const share = (title: string, times: ReadonlyMap<string, number>, most: number): string[] => [
    `  ${title}:`,
    ...[...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, time]) => `    ${((time / busy) * 100).toFixed(1).padStart(5)} %  ${name}`),
  ];
  return [
    ...share('self time by place', byPlace, TOP),
    ...share('self time by function', bySelf, TOP),
    ...share('functions of ours with what they call', byTotal, 2 * TOP),
  ];
}

const add = (times: Map<string, number>, name: string, time: number): void => {
  times.set(name, (times.get(name) ?? 0) + time);
};

/** A package, a folder of ours, or what Node does itself. */
function placeOf({ url, functionName }: Node['callFrame']): string {
  if (url === '') return functionName === '' ? '(native)' : functionName;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const [, name] =
    /.*node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!\.cache)/.exec(url.replace(/.*\/parts\//, '/')) ?? [];
  if (name !== undefined) return name;
  return url
    .replace(/.*\/(?:parts|proto\/gen)\//, '')
    .split('/')
    .slice(0, 3)
    .join('/');
}

const nameOf = ({ functionName, url, lineNumber }: Node['callFrame']): string =>
  `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}${url === '' ? '' : `:${lineNumber + 1}`}`;
