// The committed code is what the protos generate.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { root } from './descriptors.js';

/** Resolves to what went wrong, or to nothing. */
async function check(directory: string): Promise<string> {
  const script = join(directory, 'scripts/gen-proto.ts');
  const run = promisify(execFile)(process.execPath, ['--import=tsx', script, '--check'], { cwd: directory });
  return run.then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
}

test('proto/gen is what proto/ generates', async (t) => {
  t.is(await check(root), '');
});

test('a change on either side is noticed', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'proto-'));
  try {
    await cp(join(root, 'proto'), join(copy, 'proto'), { recursive: true });
    await cp(join(root, 'scripts/gen-proto.ts'), join(copy, 'scripts/gen-proto.ts'));
    await cp(join(root, 'package.json'), join(copy, 'package.json'));
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
    await writeFile(join(copy, 'proto/gen/google/rpc/status.js'), '// changed by hand\n');
    await rm(join(copy, 'proto/gen/google/rpc/error_details.d.ts'));
    await writeFile(join(copy, 'proto/gen/left_over.js'), '');
    const told = await check(copy);
    t.regex(told, /^differs: google\/rpc\/status\.js$/m);
    t.regex(told, /^missing: google\/rpc\/error_details\.d\.ts$/m);
    t.regex(told, /^not generated any more: left_over\.js$/m);
    t.is(told.match(/^(differs|missing|not generated)/gm)?.length, 3);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});
