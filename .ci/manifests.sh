#!/usr/bin/env bash
# What the tools of the places where we are deployed say about deploy/, if they are installed; the rest of it is in npm test.
set -euo pipefail
cd "$(dirname "$0")/../deploy"
if command -v kubectl >/dev/null; then
  kubectl kustomize kubernetes >/dev/null
  echo "kustomize: ok"
else
  echo "NOT CHECKED: kubectl kustomize is not installed"
fi
if command -v systemd-analyze >/dev/null; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # It wants the program to be there.
  sed 's|^ExecStart=/usr/bin/canton-submitter .*|ExecStart=/bin/true|' systemd/canton-submitter@.service >"$work/canton-submitter@.service"
  systemd-analyze verify "$work/canton-submitter@9464.service"
  echo "systemd: ok"
else
  echo "NOT CHECKED: systemd-analyze is not installed"
fi
