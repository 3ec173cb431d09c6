#!/usr/bin/env bash
# Renders the chart with Helm itself and says what is wrong with it; the last line is
# "N passed, N failed". Installs what it needs into target/chart-venv. The settings files
# are given to the real binary: $FRONTDESK_BIN, or target/debug/frontdesk.
# `tests/chart/run.sh --fix` writes the table of values into the chart's README.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/chart-venv
needs=tests/chart/requirements.txt
if ! cmp -s "$needs" "$venv/requirements.txt"; then
  rm -rf "$venv"
  mkdir -p target
  # Debian has the module apart from Python.
  if ! python3 -m venv "$venv" 2>/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
      echo "the chart's tests need Python's venv: install python3-venv and run again" >&2
      exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    rm -rf "$venv"
    python3 -m venv "$venv"
  fi
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$needs"
  cp "$needs" "$venv/requirements.txt"
fi

export FRONTDESK_BIN=${FRONTDESK_BIN:-$PWD/target/debug/frontdesk}
export LOADTEST_BIN=${LOADTEST_BIN:-$(dirname "$FRONTDESK_BIN")/frontdesk-loadtest}
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" tests/chart/main.py "$@"
