#!/usr/bin/env bash
# `npm run test:long`: what `npm test` has in a smaller form, at its full length: some twenty minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
export TEST_LONG=1
npx ava test/history/ledger-crash.test.ts test/history/ledger-soak.test.ts test/race/race.test.ts \
  test/transfer/inspect-mutations.test.ts test/model/histories.test.ts test/store/subscriber.test.ts \
  test/process/listener.test.ts test/process/lanes.test.ts test/ledger/submit.test.ts \
  test/cli/demo.test.ts test/cli/quick-start.test.ts test/proto/generated.test.ts test/proto/roundtrip.test.ts \
  test/cli/moving.test.ts test/process/fleet.test.ts
npx tsx test/process/kill-all.ts
