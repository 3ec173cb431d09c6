#!/usr/bin/env bash
# Installs the object store that the tests speak S3 with, into target/tools/nanio: to the
# last version, all of it plain Python, some seconds. Does nothing when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=target/tools/nanio
needs=tests/s3-requirements.txt
cmp -s "$needs" "$folder/requirements.txt" && exit 0
echo "installing the object store of the tests"
rm -rf "$folder"
mkdir -p target/tools
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
  --no-deps --only-binary :all: --target "$folder" -r "$needs"
cp "$needs" "$folder/requirements.txt"
