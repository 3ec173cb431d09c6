#!/usr/bin/env bash
# Installs what the tests need and is not there yet: Chromium, Redis, PostgreSQL, an object
# store and the corpus of dialogues. As root on Debian through apt; elsewhere it says what
# to install.
set -euo pipefail
cd "$(dirname "$0")/.."

need() { # program, Debian package
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing $2"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
  else
    echo "the tests need '$1': install the package $2 and run again" >&2
    exit 1
  fi
}

need chromium chromium
need redis-server redis-server
# For libFuzzer.
need g++ g++
postgres_here() { command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
postgres_here || need postgres postgresql
need python3 python3
need unzip unzip
python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip

tests/setup-corpus.sh
tests/setup-s3.sh
for folder in tests/browser; do
  if [ ! -e "$folder/node_modules/.installed" ] ||
    [ "$folder/package-lock.json" -nt "$folder/node_modules/.installed" ]; then
    (cd "$folder" && npm ci --no-audit --no-fund)
    touch "$folder/node_modules/.installed"
  fi
done
