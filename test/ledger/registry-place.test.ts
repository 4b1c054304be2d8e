// Where a registry is, and what it says of its instruments, against the sandbox's at either prefix.
import test from 'ava';
import { registryRoots } from '../../src/ledger/registry-http.js';
import { registryInstrument } from '../../src/ledger/registry-metadata.js';
import { startSandbox } from '../../src/sandbox/index.js';

const TIMEOUT = { timeoutMs: 10_000 };

test('a URL that says where the registry is, is taken at its word; else the Utility first, then the root', (t) => {
  const admin = 'dso::1220ab';
  const utility = '/api/token-standard/v0/registrars/dso%3A%3A1220ab';
  t.deepEqual(registryRoots('https://x.example/', admin), [
    `https://x.example${utility}`,
    'https://x.example',
  ]);
  t.deepEqual(registryRoots('https://x.example/base', admin), [
    `https://x.example/base${utility}`,
    'https://x.example/base',
  ]);
  t.deepEqual(registryRoots('https://x.example/registry/', admin), ['https://x.example']);
  t.deepEqual(registryRoots(`https://x.example${utility}`, admin), [`https://x.example${utility}`]);
  t.deepEqual(registryRoots(`https://x.example${utility}/registry`, admin), [`https://x.example${utility}`]);
});

for (const registryPath of ['utility', 'root'] as const) {
  test(`the metadata of a registry at the ${registryPath}: known, unknown, somebody else's`, async (t) => {
    const sandbox = await startSandbox({ seed: t.title, registry: true, registryPath });
    t.teardown(() => sandbox.close());
    const known = new Map<string, string>();
    const ask = (id: string, admin = sandbox.registrar, path = '') =>
      registryInstrument({ url: `${sandbox.httpUrl}${path}`, admin, known }, id, TIMEOUT);
    t.deepEqual(await ask('USDCx'), { kind: 'read', value: { kind: 'known', symbol: 'USDCx', decimals: 6 } });
    t.is([...known.values()][0] === sandbox.httpUrl, registryPath === 'root');
    t.like(await ask('usdcx'), { value: { kind: 'unknown' } });
    t.like(
      await ask('USDCx', 'somebody::1220'),
      registryPath === 'root'
        ? { value: { kind: 'other-admin', admin: sandbox.registrar } }
        : { value: { kind: 'silent' } },
    );
    t.like(await ask('USDCx', sandbox.registrar, '/nowhere'), { value: { kind: 'silent' } });
  });
}

test('a registry that has moved to its other root is found there, by whoever knew the old one', async (t) => {
  const start = async (registryPath: 'utility' | 'root') => {
    const sandbox = await startSandbox({ seed: t.title, registry: true, registryPath });
    t.teardown(() => sandbox.close());
    return sandbox;
  };
  for (const registryPath of ['utility', 'root'] as const) {
    const { httpUrl: url, registrar: admin } = await start(registryPath);
    const roots = registryRoots(url, admin);
    const [before, now] = registryPath === 'utility' ? [...roots].reverse() : roots;
    const known = new Map([[`${url} ${admin}`, before ?? '']]);
    const ask = () => registryInstrument({ url, admin, known }, 'USDCx', TIMEOUT);
    t.like(await ask(), { value: { kind: 'known' } }, registryPath);
    t.deepEqual([...known.values()], [now ?? '']);
  }
});
