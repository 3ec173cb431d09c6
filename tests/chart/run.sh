#!/usr/bin/env bash
# Renders the chart with Helm itself and says what is wrong with it; the last line is
# "N passed, N failed". The settings files are given to the real binary: $FRONTDESK_BIN, or
# target/debug/frontdesk.
# `tests/chart/run.sh --fix` writes the table of values into the chart's README.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$(tests/chart/python.sh)
export FRONTDESK_BIN=${FRONTDESK_BIN:-$PWD/target/debug/frontdesk}
export LOADTEST_BIN=${LOADTEST_BIN:-$(dirname "$FRONTDESK_BIN")/frontdesk-loadtest}
export PYTHONDONTWRITEBYTECODE=1
exec "$python" tests/chart/main.py "$@"
