#!/usr/bin/env bash
# Sets up and runs every test, then sums up: the last line is "N passed, N failed".
# Every stage runs even when one before it has failed.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=target/test-logs
mkdir -p "$logs"
passed=0
failed=0

# A stage that fails without having counted a failure counts as one.
count() { # exit code, passed, failed
  passed=$((passed + $2))
  if [ "$1" -ne 0 ] && [ "$3" -eq 0 ]; then
    failed=$((failed + 1))
  else
    failed=$((failed + $3))
  fi
}

sum() { # pattern with one number, file
  sed -nE "s/$1/\1/p" "$2" | awk '{n += $1} END {print n + 0}'
}

stage() { # name, command…
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$logs/$name.log"
}

tests/setup.sh || exit 1

# Before this one: it leaves its program where this one belongs.
stage previous tests/previous.sh
count $? 0 0

stage build cargo build --locked -p frontdesk-node -p frontdesk-loadtest
code=$?
count $code 0 0
[ $code -eq 0 ] || { echo "$passed passed, $failed failed"; exit 1; }

stage compile cargo test --locked --workspace --no-run
count $? 0 0

# The simulations compute and wait for no clock of this machine; real clusters wait for
# little else. So the former have what the latter leave of it.
simulations=$(sed -nE 's/^ *Executable tests\/sim\/main\.rs \((.*)\)$/\1/p' "$logs/compile.log")
(cd tests && exec nice -n 19 "../${simulations:?cargo names no simulations}") >"$logs/sim.log" 2>&1 &
simulating=$!
trap 'kill $simulating 2>/dev/null' EXIT

CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=tests/all-but-simulations.sh \
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=tests/all-but-simulations.sh \
  stage rust cargo test --locked --workspace --no-fail-fast
count $? "$(sum '^test result: .* ([0-9]+) passed;.*' "$logs/rust.log")" \
  "$(sum '^test result: .* ([0-9]+) failed;.*' "$logs/rust.log")"

printf '\n== sim\n'
wait $simulating
code=$?
cat "$logs/sim.log"
count $code "$(sum '^test result: .* ([0-9]+) passed;.*' "$logs/sim.log")" \
  "$(sum '^test result: .* ([0-9]+) failed;.*' "$logs/sim.log")"

stage web npm --prefix services/web test -- --reporter=tap
count $? "$(grep -cE '^ *ok [0-9]+ - .*# time=[^{]*$' "$logs/web.log")" \
  "$(grep -cE '^ *not ok [0-9]+ - .*# time=[^{]*$' "$logs/web.log")"

stage fuzz tests/fuzz/run.sh brief
count $? "$(sum '^([0-9]+) passed, [0-9]+ failed$' "$logs/fuzz.log")" \
  "$(sum '^[0-9]+ passed, ([0-9]+) failed$' "$logs/fuzz.log")"

FRONTDESK_BIN=$PWD/target/debug/frontdesk stage chart tests/chart/run.sh
count $? "$(sum '^([0-9]+) passed, [0-9]+ failed$' "$logs/chart.log")" \
  "$(sum '^[0-9]+ passed, ([0-9]+) failed$' "$logs/chart.log")"

FRONTDESK_BIN=$PWD/target/debug/frontdesk stage browser \
  bash -c 'cd tests/browser && node --test --test-concurrency=1 --test-reporter=tap *.test.mjs'
count $? "$(sum '^# pass ([0-9]+)$' "$logs/browser.log")" \
  "$(sum '^# fail ([0-9]+)$' "$logs/browser.log")"

printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
