// What is in deploy/ fits the code: names of settings, ports, paths, and how long a stop may take. No container engine is needed.
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { startAdmin } from '../../src/admin/server.js';
import { describe, settingNames } from '../../src/config/settings.js';
import { pageSource } from '../admin/page-source.js';

const read = (file: string): string => readFileSync(`deploy/${file}`, 'utf8');

/** What was parsed: a key that is not there is undefined, however deep. */
type Tree = { readonly [key: string]: Tree } & { readonly [Symbol.iterator]: () => Iterator<Tree> };
const documents = (file: string): Tree[] =>
  parseAllDocuments(read(file)).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Tree;
  });

const KUBERNETES = readdirSync('deploy/kubernetes').filter((file) => file.endsWith('.yaml'));
const kubernetes = (kind: string): Tree => {
  const found = KUBERNETES.flatMap((file) => documents(`kubernetes/${file}`)).filter(
    (one) => String(one.kind) === kind,
  );
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} of ${kind}`);
  return found[0];
};

/** Read by Node or by the image's own tools. */
const OTHERS = new Set(['NODE_ENV', 'NODE_OPTIONS', 'TMPDIR', 'POSTGRES_PASSWORD', 'POSTGRES_DB']);
const unknown = (names: Iterable<string>): string[] =>
  [...names].filter((name) => !OTHERS.has(name) && !(settingNames as string[]).includes(name));

/** After the grace come the last writes (path/way.ts), and the process has to end. */
const LONG_ENOUGH_MS = Number(describe('STOP_GRACE_MS').fallback) + 10_000;
const ADMIN_PORT = Number(describe('ADMIN_ADDRESS').fallback.replaceAll('`', '').split(':')[1]);
/** The user `node` of the image. */
const USER = 1000;

const container = (kind: 'Deployment' | 'Job'): Tree => {
  const [first] = kubernetes(kind).spec?.template?.spec?.containers ?? [];
  if (first === undefined) throw new Error(`${kind} has no container`);
  return first;
};
const value = (tree: Tree | undefined): unknown => tree;

test('Kubernetes: environment, ports and probes are those of the service', async (t) => {
  const submitter = container('Deployment');
  const env = [...(submitter.env ?? [])];
  const settings = value(kubernetes('ConfigMap').data) as Readonly<Record<string, string>>;
  t.deepEqual(unknown([...env.map(({ name }) => String(name)), ...Object.keys(settings)]), []);
  t.deepEqual(unknown([...(container('Job').env ?? [])].map(({ name }) => String(name))), []);
  const address = env.find(({ name }) => String(name) === 'ADMIN_ADDRESS');
  t.is(String(address?.value), `0.0.0.0:${ADMIN_PORT}`);
  const [port] = [...(submitter.ports ?? [])];
  t.is(Number(port?.containerPort), ADMIN_PORT);

  const admin = await startAdmin(
    { host: '127.0.0.1', port: 0, token: null },
    {
      health: () => ({ ready: true, blockers: [] }),
      snapshot: async () => ({}),
      instance: () => ({}),
      metrics: { contentType: 'text/plain', text: async () => '' },
      page: pageSource(),
    },
  );
  t.teardown(() => admin.close());
  const annotations = kubernetes('Deployment').spec?.template?.metadata?.annotations;
  t.is(String(annotations?.['prometheus.io/port']), String(ADMIN_PORT));
  const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => {
    const { path, port: at } = submitter[probe]?.httpGet ?? ({} as Tree);
    t.is(String(at), String(port?.name), probe);
    return String(path);
  });
  t.deepEqual(paths, ['/livez', '/livez', '/readyz'], 'an outage must not restart it');
  for (const path of [...paths, String(annotations?.['prometheus.io/path'])]) {
    t.is((await fetch(`${admin.url}${path}`)).status, 200, path);
  }
});

test('Kubernetes: migrate pins what the instances are given, in the namespace where that is', (t) => {
  const references = (kind: 'Deployment' | 'Job'): string[] =>
    [...(container(kind).envFrom ?? [])].flatMap(({ configMapRef }) =>
      configMapRef === undefined ? [] : [String(configMapRef.name)],
    );
  t.deepEqual(references('Job'), [String(kubernetes('ConfigMap').metadata?.name)]);
  t.deepEqual(references('Job'), references('Deployment'));
  const namespace = String(kubernetes('Job').metadata?.namespace);
  t.is(String(documents('kubernetes/kustomization.yaml')[0]?.namespace), namespace);
  const comments = KUBERNETES.flatMap(
    (file) => read(`kubernetes/${file}`).match(/^#.*kubectl create .*$/gm) ?? [],
  );
  t.true(comments.some((line) => line.includes(`namespace ${namespace}`)));
  for (const line of comments.filter((one) => one.includes(' secret ')))
    t.true(line.includes(` -n ${namespace} `), line);
});

test('Kubernetes: a stop has time, an update leaves nobody out, and nothing runs as root', (t) => {
  const deployment = kubernetes('Deployment');
  const pod = deployment.spec?.template?.spec;
  const grace = Number((value(kubernetes('ConfigMap').data) as Record<string, string>).STOP_GRACE_MS);
  t.true(Number(pod?.terminationGracePeriodSeconds) * 1_000 >= grace + 10_000);
  t.true(Number(pod?.terminationGracePeriodSeconds) * 1_000 >= LONG_ENOUGH_MS);
  t.like(value(deployment.spec?.strategy), {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
  });
  const labels = value(deployment.spec?.template?.metadata?.labels);
  t.deepEqual(value(deployment.spec?.selector?.matchLabels), labels);
  t.deepEqual(value(kubernetes('PodDisruptionBudget').spec?.selector?.matchLabels), labels);
  t.deepEqual(value(kubernetes('NetworkPolicy').spec?.podSelector?.matchLabels), labels);
  for (const kind of ['Deployment', 'Job'] as const) {
    t.like(value(kubernetes(kind).spec?.template?.spec?.securityContext), {
      runAsNonRoot: true,
      runAsUser: USER,
      // The secrets' files are root's, and readable by a group: without it, by nobody here.
      fsGroup: USER,
    });
    t.like(value(container(kind).securityContext), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
  }
});

test('Kubernetes: the autoscaler scales this deployment by a metric that the adapter makes of one of ours', (t) => {
  const { spec } = kubernetes('HorizontalPodAutoscaler');
  t.is(String(spec?.scaleTargetRef?.name), String(kubernetes('Deployment').metadata?.name));
  t.is(value(kubernetes('Deployment').spec?.replicas), undefined, 'the autoscaler’s alone');
  t.true(Number(spec?.minReplicas) >= 2);
  const [metric] = [...(spec?.metrics ?? [])];
  const [rule] = [...((parse(read('kubernetes/prometheus-adapter.yaml')) as Tree).externalRules ?? [])];
  t.is(String(metric?.external?.metric?.name), String(rule?.name?.as));
  t.regex(String(rule?.metricsQuery), /^max\(min_over_time\(canton_submitter_claimable_oldest_seconds\{/);
});

test('kustomization.yaml lists every file that is applied', (t) => {
  const listed = [...(documents('kubernetes/kustomization.yaml')[0]?.resources ?? [])].map(String);
  const apart = ['kustomization.yaml', 'migrate.yaml', 'prometheus-adapter.yaml'];
  t.deepEqual([...listed, ...apart].sort(), [...KUBERNETES].sort());
});

test('compose: settings, time to stop, and an order that begins with migrate', (t) => {
  const { services = {} as Tree } = parse(read('compose.yaml'), { merge: true }) as Tree;
  const all = value(services) as Readonly<Record<string, Tree>>;
  for (const [name, service] of Object.entries(all)) {
    t.deepEqual(unknown(Object.keys((value(service.environment) ?? {}) as object)), [], name);
    t.notRegex(String(service.image), /:latest$/, name);
  }
  const submitters = Object.entries(all).filter(([name]) => name.startsWith('submitter-'));
  t.is(submitters.length, 2);
  const ports = [...(all.sandbox?.ports ?? [])].map((port) => String(port).split(':').at(-1));
  for (const [name, service] of submitters) {
    t.true(Number.parseInt(String(service.stop_grace_period), 10) * 1_000 >= LONG_ENOUGH_MS, name);
    t.truthy(service.depends_on?.migrate, name);
    const [, port] = String(service.environment?.ADMIN_ADDRESS).split(':');
    t.true(ports.includes(port), `${name}: port ${port} is published where its network is`);
  }
});

test('systemd: settings, time to stop, and no restart where only a setting helps', (t) => {
  const lines = read('systemd/canton-submitter@.service').split('\n');
  const of = (key: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const names = of('Environment').flatMap((line) => line.split(' ').map((one) => one.split('=')[0] ?? ''));
  t.deepEqual(unknown(names), []);
  t.true(Number(of('TimeoutStopSec')[0]) * 1_000 >= LONG_ENOUGH_MS);
  t.deepEqual(of('RestartPreventExitStatus'), ['2']);
  t.deepEqual(of('DynamicUser'), ['yes']);
  t.regex(of('ExecStart')[0] ?? '', / run$/);
});

test('Dockerfile: built apart, on a maintained Node, what it copies is there, and it does not run as root', (t) => {
  const text = read('Dockerfile').replaceAll(/\\\n\s*/g, '');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const stages = lines.filter((line) => line.startsWith('FROM '));
  t.deepEqual(stages, [
    'FROM node:24-alpine AS build',
    'FROM build AS modules',
    'FROM node:24-alpine AS service',
    'FROM service AS trial',
    'FROM service',
  ]);
  const stage = (at: number) =>
    lines.slice(lines.indexOf(stages[at] ?? ''), lines.indexOf(stages[at + 1] ?? ''));
  const last = stage(2);
  t.true(last.includes(`USER ${USER}:${USER}`));
  t.true(last.some((line) => line.startsWith('ENTRYPOINT ["node", "/app/bin/canton-submitter.js"]')));
  t.true(last.includes(`EXPOSE ${ADMIN_PORT}`));
  const ignored = readFileSync('deploy/Dockerfile.dockerignore', 'utf8');
  const copied = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  const shipped = (JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] })
    .files;
  const there = readdirSync('.');
  for (const path of copied) {
    t.true(there.includes(path), path);
    t.true(ignored.includes(`!${path.endsWith('.sql') ? '*.sql' : path}\n`), `${path} is in the context`);
  }
  const inImage = last.join(' ');
  for (const path of shipped.filter((one) => !/\.md$|^docs$|^deploy$|^examples$/.test(one)))
    t.true(inImage.includes(` ${path}`), `the image has ${path}`);
  const env = last.filter((line) => line.startsWith('ENV ')).flatMap((line) => line.slice(4).split(/\s+/));
  t.deepEqual(unknown(env.map((one) => one.split('=')[0] ?? '')), []);
  // The commands of a trial need viem, which is a peer.
  t.true(stage(1).some((line) => line.includes('--omit=peer')));
  t.true(stage(3).includes('COPY --from=build /build/node_modules node_modules'));
  const compose = parse(read('compose.yaml'), { merge: true }) as Tree;
  t.is(String(compose.services?.sandbox?.build?.target), 'trial');
});
