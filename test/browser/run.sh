#!/usr/bin/env bash
# `npm run test:page`: the page in a real browser. TEST_BROWSER: the path of a Chromium or Chrome, if none is in the PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  TEST_BROWSER=${TEST_BROWSER:-$(command -v "$name" || true)}
done
if [ -z "$TEST_BROWSER" ]; then
  echo "There is no browser: install Chromium, or set TEST_BROWSER to the path of one." >&2
  exit 1
fi
export TEST_BROWSER
npx ava test/browser/page.test.ts "$@"
