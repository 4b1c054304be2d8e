// Generates proto/gen from proto/**/*.proto: buf and protoc-gen-ts write TypeScript into a scratch folder, and the
// compiler turns it into what is committed. `--check [FOLDER ...]` writes nothing and compares instead: proto/gen, or
// each of these folders.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const protoDir = join(root, 'proto');
const genDir = join(protoDir, 'gen');

/** Contents by path, relative to proto/gen and with forward slashes. */
type Tree = Map<string, string>;

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function readTree(dir: string): Tree {
  return new Map(
    filesBelow(dir).map((file) => [relative(dir, file).split(sep).join('/'), readFileSync(file, 'utf8')]),
  );
}

function runTool(path: string, args: string[]): void {
  const tool = join(root, 'node_modules', path);
  execFileSync(process.execPath, [tool, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}

function runPlugin(out: string): void {
  const template = {
    version: 'v2',
    plugins: [
      {
        local: [process.execPath, join(root, 'node_modules/protoc-gen-ts/protoc-gen-ts.js')],
        out,
        strategy: 'all',
        include_imports: true,
        include_wkt: true,
        // Without namespaces every message is a named export, which ESM can import from CommonJS.
        opt: ['target=node', 'no_namespace', 'json_names', 'explicit_override'],
      },
    ],
  };
  runTool('@bufbuild/buf/bin/buf', ['generate', protoDir, '--template', JSON.stringify(template)]);
}

/** Corrects the plugin's mistakes and oddities. */
function amend(source: string): string {
  const amended = source
    // An absent message reads as undefined, although the plugin's types say otherwise.
    .replace(
      /get (\w+)\(\)(?= \{\s+return pb_1\.Message\.getWrapperField\(this, ([\w.]+),)/g,
      'get $1(): $2 | undefined',
    )
    // A map entry may come without its key or value if that is the default; the runtime has to be told so.
    .replace(/(reader\.readString, reader\.readString)\)/g, '$1, undefined, "", "")')
    .replace(
      /(value = ([\w.]+)\.deserialize\(reader\)\);\s+return value;\s+\})\)/g,
      '$1, undefined, "", new $2())',
    )
    // google-protobuf 4 no longer has the readers of packed fields that the plugin calls.
    .replace(/message\.(\w+) = reader\.readPacked(\w+)\(\)/g, 'reader.readPackable$2Into(message.$1)')
    // Every setter of a message asks it for its array, and the runtime then walks everything below to sync its own
    // map class, which this code never uses. That was most of the time of a decode.
    .replace(/(class \w+ extends pb_1\.Message \{)/g, '$1\n    override toArray() { return this.array; }')
    // json_names turns fields into camelCase, but not the getters that name the case of a oneof.
    .replace(/get (\w+)\(\)(?= \{\s+const cases: )/g, (_, name: string) => `get ${camelCase(name)}()`);
  // The plugin's code does not pass our strict compiler options; its callers are still checked.
  return `// @ts-nocheck\n${amended}`;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** In a process of its own: under tsx, loading the compiler takes longer than its work. */
function compile(sources: string, out: string): void {
  const compilerOptions = {
    target: 'es2022',
    module: 'commonjs',
    moduleResolution: 'node10',
    newLine: 'lf',
    strict: true,
    skipLibCheck: true,
    declaration: true,
    types: ['node'],
    rootDir: sources,
    outDir: out,
  };
  const project = join(sources, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({ compilerOptions }));
  runTool('typescript/bin/tsc', ['--project', project]);
}

function generate(): Tree {
  // Below node_modules, so that the compiler finds the packages that generated code imports.
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'gen-proto-'));
  try {
    const [sources, out] = [join(scratch, 'sources'), join(scratch, 'out')];
    for (const dir of [sources, out]) {
      mkdirSync(dir);
      writeFileSync(join(dir, 'package.json'), '{ "type": "commonjs" }\n');
    }
    runPlugin(sources);
    for (const file of filesBelow(sources).filter((name) => name.endsWith('.ts'))) {
      writeFileSync(file, amend(readFileSync(file, 'utf8')));
    }
    compile(sources, out);
    return readTree(out);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function differences(wanted: Tree, found: Tree): string[] {
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return paths.flatMap((path) => {
    if (!found.has(path)) return [`missing: ${path}`];
    if (!wanted.has(path)) return [`no longer generated: ${path}`];
    return wanted.get(path) === found.get(path) ? [] : [`differs: ${path}`];
  });
}

function write(tree: Tree): void {
  rmSync(genDir, { recursive: true, force: true });
  for (const [path, text] of tree) {
    const file = join(genDir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

const tree = generate();
const [mode, ...folders] = process.argv.slice(2);
if (mode === '--check') {
  for (const folder of folders.length > 0 ? folders : [genDir]) {
    const found = differences(tree, readTree(folder));
    for (const line of found) console.error(line);
    if (found.length === 0) continue;
    console.error(`${folder} is not what proto/ generates: run \`npm run gen\``);
    process.exitCode = 1;
  }
} else {
  write(tree);
  console.log(`proto/gen: ${tree.size} files`);
}
