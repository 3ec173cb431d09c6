#!/usr/bin/env bash
# Runs the image's binaries as the image would, without a container engine: linked
# statically as in the Dockerfile, in a root that holds what the image holds and nothing
# else, read-only but for /data, as user 65532. Needs root, and builds for some minutes;
# the last line is "N passed, N failed". PROFILE=dist builds what is shipped.
set -uo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" -eq 0 ] || { echo "only root may change roots" >&2; exit 1; }
target=$(uname -m)-unknown-linux-musl
profile=${PROFILE:-dev}
built=target/$target/${profile/#dev/debug}
root=target/image
passed=0
failed=0

check() { # what, command…
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok      $what"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n%s\n' "$what" "$said"
  fi
}

# As a container runs it: behind these words come the entry point and its arguments. Each
# program takes the place of the one before it, so that a signal reaches the last.
contained=(unshare --mount bash -euc '
  mount --make-rprivate /
  mount --bind "$0" "$0"
  mount -t proc proc "$0/proc"
  mount -t tmpfs -o mode=700,uid=65532,gid=65532 tmpfs "$0/data"
  mount -o remount,bind,ro "$0"
  exec chroot --userspec=65532:65532 "$0" "$@"' "$PWD/$root")

refuses() { ! "$@"; }

is_static() {
  ! readelf --program-headers "$1" | grep -q INTERP && ! readelf --dynamic "$1" | grep -q NEEDED
}

# A whole Frontdesk in there, chatted with from outside and inside.
chats() {
  local ready=target/image-ready server status
  "${contained[@]}" /usr/local/bin/frontdesk dev --data /data/state --listen 127.0.0.1:18099 \
    --print json --extra-agents 4 >"$ready" 2>target/image-log &
  server=$!
  for _ in $(seq 300); do [ -s "$ready" ] && break; sleep 0.1; done
  cp "$ready" "$root/usr/share/frontdesk/ready.json"
  "${contained[@]}" /usr/local/bin/frontdesk-loadtest run /usr/share/frontdesk/scenarios/smoke.toml \
    --target http://127.0.0.1:18099 --accounts /usr/share/frontdesk/ready.json --plain
  status=$?
  rm "$root/usr/share/frontdesk/ready.json"
  kill -TERM "$server"
  wait "$server"
  [ "$status" -eq 0 ] || { cat target/image-log; return 1; }
}

command -v musl-gcc >/dev/null || {
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends musl-tools >/dev/null
} || exit 1
rustup target add "$target" 2>/dev/null || exit 1
cargo build --profile "$profile" --locked --target "$target" -p frontdesk-node -p frontdesk-loadtest || exit 1

rm -rf "$root"
mkdir -p "$root"/{usr/local/bin,usr/share/frontdesk,etc/frontdesk,data,proc}
cp "$built/frontdesk" "$built/frontdesk-loadtest" "$root/usr/local/bin/"
cp -r loadtest/scenarios "$root/usr/share/frontdesk/"

check "frontdesk is linked statically" is_static "$root/usr/local/bin/frontdesk"
check "frontdesk-loadtest is linked statically" is_static "$root/usr/local/bin/frontdesk-loadtest"
check "it runs in an empty root" "${contained[@]}" /usr/local/bin/frontdesk --version
check "it reads its settings" "${contained[@]}" /usr/local/bin/frontdesk config
check "it writes to its volume" "${contained[@]}" /usr/local/bin/frontdesk cluster certificates /data/tls
check "it cannot write elsewhere" refuses "${contained[@]}" /usr/local/bin/frontdesk cluster certificates /tls
check "people chat in there" chats

printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
