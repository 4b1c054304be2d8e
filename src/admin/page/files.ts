// The page's files, as they are kept in `page/`, and the plotting library as its package has it: read once, and no others.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const OWN = [
  'style.css',
  'main.js',
  'act.js',
  'live.js',
  'charts.js',
  'rows.js',
  'now.js',
  'search.js',
  'dom.js',
  'format.js',
];
const LIBRARY: Readonly<Record<string, string>> = {
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** By path. Both `src/admin/page` and `dist/admin/page` are three folders below. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const load = createRequire(import.meta.url);
  const own = (name: string): Buffer => readFileSync(new URL(`../../../page/${name}`, import.meta.url));
  const file = (name: string, body: Buffer): PageFile => ({
    type: TYPES[name.split('.').pop() ?? ''] ?? '',
    body,
  });
  return new Map([
    ['/', file('index.html', own('index.html'))],
    ...OWN.map((name) => [`/page/${name}`, file(name, own(name))] as const),
    ...Object.entries(LIBRARY).map(
      ([name, path]) => [`/page/${name}`, file(name, readFileSync(load.resolve(path)))] as const,
    ),
  ]);
}

/** Nothing from other hosts, nothing inline, in nobody's frame. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
