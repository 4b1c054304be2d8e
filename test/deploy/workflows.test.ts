// The workflows run elsewhere: here, that they parse and call what is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<string, { readonly 'timeout-minutes'?: number; readonly steps: readonly Step[] }>
  >;
}

const FOLDER = '.github/workflows';
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

for (const file of readdirSync(FOLDER)) {
  test(`${file}: what its steps run is there, with the least permissions, and none can hang`, (t) => {
    const { permissions, jobs } = parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Workflow;
    t.truthy(permissions, 'what is not granted is not there');
    for (const [name, job] of Object.entries(jobs)) {
      t.true((job['timeout-minutes'] ?? 0) > 0, name);
      for (const { uses, run = '' } of job.steps) {
        t.true((uses === undefined) !== (run === ''), `${name}: each step either uses or runs`);
        if (uses !== undefined) t.regex(uses, /^[\w-]+\/[\w-]+@v\d+$/);
        for (const [, script = ''] of run.matchAll(/npm run -s ([\w:-]+)/g))
          t.truthy(scripts[script], script);
        for (const [path] of run.matchAll(/\.ci\/[\w.-]+|deploy\/[\w./-]+/g)) t.true(existsSync(path), path);
      }
    }
  });
}

test('the update bot looks after packages, workflows and the image', (t) => {
  const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as {
    readonly updates: readonly { readonly 'package-ecosystem': string; readonly directory: string }[];
  };
  t.deepEqual(
    updates.map((one) => `${one['package-ecosystem']} ${one.directory}`),
    ['npm /', 'github-actions /', 'docker /deploy'],
  );
  t.true(existsSync('deploy/Dockerfile'));
});
