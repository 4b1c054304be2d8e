// README's quick start and docs/sandbox.md, block by block in a shell, as a newcomer pastes them. Long, since it starts
// everything that they start: a Postgres, a sandbox, a submitter, and a process for each command.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createDecoder } from '../../src/cli/support/raw-transaction.js';
import { loadSignSettings } from '../../src/config.js';
import { block, ROOT } from '../support/docs.js';
import { outputOf } from '../support/output.js';

/** A folder in which `npx canton-submitter` is this one, on free ports. */
function desk(t: ExecutionContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-quick-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const script = (name: string, lines: string): void => {
    writeFileSync(path.join(folder, name), `#!/usr/bin/env bash\n${lines}\n`);
    chmodSync(path.join(folder, name), 0o755);
  };
  script('npx', 'exec "$@"');
  script(
    'canton-submitter',
    `[ "$1" = sandbox ] && [ "$2" != user ] && set -- "$@" --port 0 --http-port 0
exec '${process.execPath}' '${ROOT}/bin/canton-submitter.js' "$@"`,
  );
  const env = {
    PATH: `${folder}:${process.env.PATH}`,
    HOME: folder,
    ADMIN_ADDRESS: '127.0.0.1:0',
  };
  return (commands: string) => {
    const child = spawn('bash', ['-c', commands], { cwd: folder, env, detached: true, stdio: 'pipe' });
    child.stdin.end();
    const { ended, said, text } = outputOf(child);
    const end = async (): Promise<void> => {
      try {
        process.kill(-(child.pid ?? 0), 'SIGTERM');
      } catch {}
      await ended;
    };
    t.teardown(end);
    return { ended: ended.then((code) => ({ code, text: text() })), said };
  };
}

test('README: the quick start, then docs/sandbox.md', async (t) => {
  const shell = desk(t);
  const sandbox = shell(block('README.md', 'sh', 'sandbox --postgres'));
  await sandbox.said(/the sandbox runs until Ctrl-C/);
  // A shell of a person stays; this one has to be told to.
  const person = shell(`${block('README.md', 'sh', 'npx canton-submitter sign')}\nwait`);
  await person.said(/^0x[0-9a-f]{64} inserted$/m);
  await person.said(/^[\d:.]+ info {2}completed {2}.*txHash=0x[0-9a-f]{64}/m);

  const here = 'source sandbox.env\nsource users.env\n';
  const seen = await shell(`${here}${block('README.md', 'sh', 'npx canton-submitter status')}`).ended;
  t.is(seen.code, 0, seen.text);
  t.regex(seen.text, /"DEMO":\{"amount":"101\.5000000000"/);

  const users = await shell(
    `${here}canton-submitter sandbox user carol --external --amount 12.5 >> users.env\nsource users.env\necho has $CAROL_PARTY`,
  ).ended;
  t.regex(users.text, /has carol::1220/);
  const second = await shell(
    `${here}${block('docs/sandbox.md', 'sh', 'canton-submitter sign').replace('$BOB_ADDRESS', '$CAROL_ADDRESS --nonce 1')}`,
  ).ended;
  t.regex(second.text, /1 row inserted, 0 already known, 0 refused/);
  const broken = await shell(`set -e\n${here}${block('docs/sandbox.md', 'sh', 'dropAnswer')}`).ended;
  t.is(broken.code, 0, broken.text);
  t.notRegex(broken.text, /"error":"(?!PARTICIPANT)/);

  // cast comes from its own package, as in its documentation.
  const cast = await shell(
    `${here}'${path.dirname(process.execPath)}/npm' exec --yes --package=@foundry-rs/cast@1.7.1 -- bash -c '${block('docs/sandbox.md', 'sh', 'cast mktx').replaceAll("'", `'\\''`)}'\necho "TOKENS_FILE=$TOKENS_FILE"`,
  ).ended;
  const TOKENS_FILE = /^TOKENS_FILE=(.*)$/m.exec(cast.text)?.[1] ?? '';
  const decode = await createDecoder(loadSignSettings({ TOKENS_FILE, CHAIN_ID: '31337' }));
  t.like(await decode(/^0x[0-9a-f]+$/m.exec(cast.text)?.[0] ?? ''), { kind: 'ok' }, cast.text);
});
