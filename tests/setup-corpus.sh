#!/usr/bin/env bash
# Fetches the dialogues that the replay and kill tests use, into target/corpus.
# Does nothing when they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."

package=chatterbot-corpus
version=1.3.3
folder=target/corpus
stamp=$folder/.$package-$version

[ -e "$stamp" ] && exit 0
echo "fetching $package $version"
rm -rf "$folder"
mkdir -p "$folder/download"
python3 -m pip download --quiet --disable-pip-version-check --no-deps \
  --dest "$folder/download" "$package==$version"
python3 -m zipfile -e "$folder/download"/*.whl "$folder"
rm -rf "$folder/download"
touch "$stamp"
