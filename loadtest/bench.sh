#!/usr/bin/env bash
# Measures one process on this machine: CPU per delivered message when saturated
# (median of several runs), latency at 5,000 messages a second, and memory per
# idle connection and live conversation. Then a cluster with 1, 2 and 4 owners, the
# CPU of all its parts counted, Redis and PostgreSQL too; what handing on all shards
# adds; reservations of three voters; rounds of matching; and a change of shift on a
# cluster, its leader killed meanwhile. Everything it starts it stops.
#
#   RUNS=3         runs of the saturating scenario
#   PORT=0         port of the server; 0 takes a free one
#   PROFILE=dist   cargo profile to measure; anything else only tries this script
#   SHIFT=         agents, conversations, and seconds for signing in and for each chat
#   RESULTS=       folder to keep the results (JSON) in
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-3}
work=$(mktemp -d)
# As root PostgreSQL runs as another user, who has to pass.
chmod 711 "$work"
results=${RESULTS:-$work/results}
mkdir -p "$results"
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}
trap 'stop; rm -rf "$work"' EXIT

profile=${PROFILE:-dist}
# In one go: other sets of packages would have everything built again.
cargo build --profile "$profile" --locked --bins --examples \
  -p frontdesk-node -p frontdesk-loadtest -p frontdesk-presence -p frontdesk-core \
  -p frontdesk-tests
bin=target/${profile/#dev/debug}

# The load generator is one client that does the work of hundreds.
export FRONTDESK_GATEWAY__REQUESTS_PER_SECOND=1000000
export FRONTDESK_GATEWAY__REQUEST_BURST=1000000
export FRONTDESK_GATEWAY__HANDSHAKES_PER_SECOND=100000
export FRONTDESK_GATEWAY__HANDSHAKE_BURST=100000
export FRONTDESK_LOG__LEVEL=error

start() { # command and arguments of frontdesk
  rm -rf "$work/data" "$work/ready"
  "$bin/frontdesk" "$@" --data "$work/data" --print json --extra-agents 10 >"$work/ready" &
  server=$!
  for _ in $(seq 600); do
    [ -s "$work/ready" ] && return
    sleep 0.1
  done
  echo "the server did not start" >&2
  exit 1
}

# A fresh server for every run. A verdict other than "passed" ends up in the
# table; only a run that was not carried out ends everything.
run() { # scenario, result, command of frontdesk and its arguments
  local scenario=$1 result=$2 code=0 targets
  shift 2
  start "$@"
  # One gateway, or all of them.
  targets=$(sed -n '1s/.*"gateways":\[\([^]]*\)\].*/\1/p' "$work/ready" | tr -d '"' | tr , ' ')
  targets=${targets:-$(sed -n '1s/.*"listen":"\([^"]*\)".*/\1/p' "$work/ready")}
  # shellcheck disable=SC2086 # one argument for each target
  "$bin/frontdesk-loadtest" run "loadtest/scenarios/$scenario.toml" \
    ${targets:+$(printf -- '--target %s ' $targets)} --accounts "$work/ready" \
    --server-pid "$server" --json "$results/$result.json" || code=$?
  [ "$code" -ne 1 ] || exit 1
  stop
}

fsync() { # microseconds for one 4 KiB write with fdatasync, mean of 200
  local from to
  from=$(date +%s%N)
  dd if=/dev/zero of="$work/fsync" bs=4096 count=200 oflag=dsync status=none
  to=$(date +%s%N)
  echo $(((to - from) / 200 / 1000))
}

dev=(dev --listen "127.0.0.1:${PORT:-0}")
machine="$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1),"
machine+=" Linux $(uname -r), synced 4 KiB write $(fsync) µs"
for n in $(seq "$runs"); do
  printf '\n-- saturate, run %s of %s\n' "$n" "$runs"
  run saturate "saturate-$n" "${dev[@]}"
done
printf '\n-- open-5k\n'
run open-5k open-5k "${dev[@]}"
printf '\n-- idle-connections\n'
run idle-connections idle-connections "${dev[@]}"
printf '\n-- live-conversations\n'
run live-conversations live-conversations "${dev[@]}"
for owners in 1 2 4; do
  printf '\n-- cluster with %s owners\n' "$owners"
  run saturate "cluster-$owners" cluster up --base-port 0 --sessions "$owners"
done
printf '\n-- hand-off of all shards\n'
export LOADTEST_SIGNAL="$bin/frontdesk cluster signal --data $work/data"
run hand-off hand-off cluster up --base-port 0
printf '\n-- reservations of three voters\n'
"$bin/examples/reservations"
printf '\n-- matching\n'
"$bin/examples/matching"
printf '\n-- a change of shift, the leader killed meanwhile\n'
shifted=0
# shellcheck disable=SC2086 # one argument for each number
FRONTDESK_TEST_BINARY="$PWD/$bin/frontdesk" "$bin/examples/shift" ${SHIFT:-500 5000 20 5} || shifted=1

printf '\nmachine: %s\n' "$machine"
python3 - "$results" "$runs" <<'PY'
import json, statistics, sys

folder, runs = sys.argv[1], int(sys.argv[2])
read = lambda name: json.load(open(f"{folder}/{name}.json"))
saturated = [read(f"saturate-{n}") for n in range(1, runs + 1)]
clusters = {n: read(f"cluster-{n}") for n in (1, 2, 4)}
open5k, idle, live = read("open-5k"), read("idle-connections"), read("live-conversations")
handoff = read("hand-off")

def spread(values, unit=""):
    if None in values:
        return "not measured"
    median, low, high = statistics.median(values), min(values), max(values)
    return f"{median:,.1f} ({low:,.1f}–{high:,.1f}){unit}"

def seconds(report):
    return report["counted"]["to_s"] - report["counted"]["from_s"]

def server(report, key):
    return report["server"] and report["server"][key]

def latency(report, key):
    at = report["latencies"][key]
    return " / ".join(f"{at[p] / 1e3:.2f}" for p in ("p50_us", "p99_us", "p999_us")) + " ms"

def kib(value):
    return "not measured" if value is None else f"{value / 1024:.2f} KiB"

rows = [
    (f"saturated, median of {runs} (lowest–highest)", ""),
    ("  server CPU per delivered message", spread([server(r, "cpu_us_per_message") for r in saturated], " µs")),
    ("  delivered messages a second", spread([r["counters"]["delivered"] / seconds(r) for r in saturated])),
    ("  cores: server", spread([(server(r, "cpu_s") or 0) / seconds(r) for r in saturated])),
    ("  cores: generator", spread([r["generator"]["cores"] for r in saturated])),
    ("  CPU taken away by the host", spread([r["generator"]["stolen"] * 100 for r in saturated], " %")),
    ("at 5,000 messages a second, from the intended time, p50 / p99 / p99.9", ""),
    ("  to the acknowledgement", latency(open5k, "ack")),
    ("  to the receipt by the other party", latency(open5k, "receipt")),
    ("  of which the generator was late", latency(open5k, "late")),
    ("resident per idle connection", kib(server(idle, "bytes_per_connection"))),
    ("resident per connection with a live conversation", kib(server(live, "bytes_per_connection"))),
    ("a cluster, CPU of all its parts per delivered message", ""),
] + [
    (f"  with {n} owner{'s'[:n > 1]}", spread([server(clusters[n], "cpu_us_per_message")], " µs"))
    for n in clusters
] + [("all shards handed on at 500 messages a second, to the acknowledgement, p50 / p99 / p99.9", "")] + [
    (f"  {phase['name']}", latency(phase, "ack")) for phase in handoff["phases"]
]
width = max(len(name) for name, value in rows if value)
for name, value in rows:
    print(f"{name:<{width}}  {value}".rstrip())
reports = saturated + [open5k, idle, live] + list(clusters.values()) + [handoff]
for report in reports:
    if report["verdict"] != "passed":
        reasons = "; ".join(reason["text"] for reason in report["reasons"])
        print(f"{report['scenario']['name']}: {report['verdict']}: {reasons}")
sys.exit(0 if all(report["verdict"] == "passed" for report in reports) else 1)
PY
exit "$shifted"
