#!/usr/bin/env bash
# Builds the program of the commit before this one as target/debug/frontdesk-previous:
# a rolling upgrade runs both in one cluster. Dependencies are shared with this build;
# of its own crates nothing may be, for cargo tells those of the two apart by nothing but
# their times.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse --verify --quiet 'HEAD~1^{commit}' || git rev-parse HEAD)
mark=target/debug/frontdesk-previous.commit
[ -x target/debug/frontdesk-previous ] && [ "$(cat "$mark" 2>/dev/null)" = "$commit" ] && exit 0

folder=target/previous
rm -rf "$folder"
mkdir -p "$folder"
git archive "$commit" | tar -x -C "$folder"
# The pages are the same to a cluster's processes; they only have to be there.
if [ -d services/web/dist ]; then cp -r services/web/dist "$folder/services/web/"; fi
forget() { # manifest
  CARGO_TARGET_DIR=$PWD/target cargo clean --locked --workspace --profile dev --manifest-path "$1"
}

forget Cargo.toml
# Both, as they are built together next: alone, each has its dependencies with other features.
CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$PWD/target cargo build --locked -p frontdesk-node \
  -p frontdesk-loadtest --manifest-path "$folder/Cargo.toml"
cp target/debug/frontdesk target/debug/frontdesk-previous
forget "$folder/Cargo.toml"
echo "$commit" >"$mark"
