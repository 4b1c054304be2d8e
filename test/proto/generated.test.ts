// The committed code is what the protos generate.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { root } from './descriptors.js';

/** Resolves to what went wrong, in the order of the folders. They are compared with one generation: it takes long. */
async function check(folders: readonly string[]): Promise<string> {
  const args = ['--import=tsx', join(root, 'scripts/gen-proto.ts'), '--check', ...folders];
  return promisify(execFile)(process.execPath, args, { cwd: root }).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
}

test('proto/gen is what proto/ generates, and a change on either side is noticed', async (t) => {
  const changed = await mkdtemp(join(tmpdir(), 'proto-'));
  t.teardown(() => rm(changed, { recursive: true, force: true }));
  const committed = join(root, 'proto/gen');
  await cp(committed, changed, { recursive: true });
  await writeFile(join(changed, 'google/rpc/status.js'), '// changed by hand\n');
  await rm(join(changed, 'google/rpc/error_details.d.ts'));
  await writeFile(join(changed, 'left_over.js'), '');
  const told = (await check([committed, changed])).trim().split('\n');
  t.deepEqual(told, [
    'missing: google/rpc/error_details.d.ts',
    'differs: google/rpc/status.js',
    'no longer generated: left_over.js',
    `${changed} is not what proto/ generates: run \`npm run gen\``,
  ]);
});
