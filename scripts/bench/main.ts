// `npm run bench -- [name]`: compiles what is measured, and runs the benchmark (run.ts) on the Node that all sides share.
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { compile } from '../../test/support/compile.js';

/** What the peers ask for; an older one that runs this gets a newer one from the npm package `node`, outside the project. */
const PEERS_NODE = 22.18;
const BROUGHT = 'node@24.21.0';

const args = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNewEnough = major + minor / 100 >= PEERS_NODE;
// The smallest is for tests, which download nothing; it does without the peers.
const downloadsNothing = ['--smallest', '--help', '-h'].some((flag) => args.includes(flag));
const node = isNewEnough || downloadsNothing ? process.execPath : await brought();

const folder = process.env.TEST_COMPILED ?? compile();
const run = path.join(folder, 'parts', 'scripts', 'bench', 'run.js');
const child = spawn(node, [run, ...args], {
  stdio: 'inherit',
  env: { ...process.env, TEST_COMPILED: folder },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));

async function brought(): Promise<string> {
  console.error(
    `Node ${process.versions.node} is too old for the peers: ${BROUGHT} is asked of the registry.`,
  );
  const { stdout } = await promisify(execFile)('npx', [
    '--yes',
    '--package',
    BROUGHT,
    'node',
    '--print',
    'process.execPath',
  ]);
  return stdout.trim();
}
