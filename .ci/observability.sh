#!/usr/bin/env bash
# The alert rules and their tests by promtool, which Debian's package prometheus brings. CI installs it where it is missing
# and there are packages; elsewhere this says that nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/../deploy/prometheus"
if ! command -v promtool >/dev/null && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus >/dev/null || true
fi
if ! command -v promtool >/dev/null; then
  echo "NOT CHECKED: the alert rules need promtool (Debian: apt-get install prometheus)"
  exit 0
fi
promtool check rules alerts.yml
promtool test rules alerts.test.yml
