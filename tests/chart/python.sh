#!/usr/bin/env bash
# Installs what renders and reads the chart into target/chart-venv, unless it is there, and
# prints the Python that has it.
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
echo "$PWD/$venv/bin/python"
