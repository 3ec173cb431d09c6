#!/usr/bin/env bash
# Measures one process on this machine: CPU per delivered message when saturated
# (median of three runs), latency at 5,000 messages a second, and memory per idle
# connection and live conversation. Everything it starts it stops.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-18090}
runs=${RUNS:-3}
work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}
trap 'stop; rm -rf "$work"' EXIT

cargo build --profile dist --locked -p frontdesk-node -p frontdesk-loadtest
bin=target/dist

start() { # extra agents
  rm -rf "$work/data" "$work/ready"
  # The load generator is one client that does the work of hundreds.
  FRONTDESK_GATEWAY__REQUESTS_PER_SECOND=1000000 \
  FRONTDESK_GATEWAY__REQUEST_BURST=1000000 \
  FRONTDESK_GATEWAY__HANDSHAKES_PER_SECOND=100000 \
  FRONTDESK_GATEWAY__HANDSHAKE_BURST=100000 \
    "$bin/frontdesk" dev --data "$work/data" --listen "127.0.0.1:$port" \
    --print json --extra-agents "$1" --log error >"$work/ready" &
  server=$!
  for _ in $(seq 200); do
    [ -s "$work/ready" ] && return
    sleep 0.1
  done
  echo "the server did not start" >&2
  exit 1
}

run() { # scenario, result, extra agents, seconds to settle first
  start "$3"
  sleep "$4"
  "$bin/frontdesk-loadtest" run "loadtest/scenarios/$1.toml" \
    --target "http://127.0.0.1:$port" --accounts "$work/ready" \
    --server-pid "$server" --json "$work/$2.json"
  stop
}

fsync() { # microseconds for one 4 KiB write with fdatasync, mean of 200
  local from to
  from=$(date +%s%N)
  dd if=/dev/zero of="$work/fsync" bs=4096 count=200 oflag=dsync status=none
  to=$(date +%s%N)
  echo $(((to - from) / 200 / 1000))
}

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
  "Linux $(uname -r), synced 4 KiB write $(fsync) µs"
for n in $(seq "$runs"); do
  echo; echo "-- saturate, run $n of $runs"
  run saturate "saturate-$n" 10 0
done
echo; echo "-- open-5k"
run open-5k open-5k 10 0
echo; echo "-- idle-connections"
# Hashing passwords at the start takes memory that is given back within seconds.
run idle-connections idle-connections 0 15

echo
python3 - "$work" "$runs" <<'PY'
import json, statistics, sys

folder, runs = sys.argv[1], int(sys.argv[2])
read = lambda name: json.load(open(f"{folder}/{name}.json"))
saturated = [read(f"saturate-{n}") for n in range(1, runs + 1)]
cpu = [r["server_cpu_us_per_message"] for r in saturated]
rate = [r["delivered_per_second"] for r in saturated]
rate5k, idle = read("open-5k"), read("idle-connections")
spread = lambda v: f"{statistics.median(v):,.1f} ({min(v):,.1f}–{max(v):,.1f})"
rows = [
    ("server CPU per delivered message, saturated", spread(cpu) + " µs"),
    ("messages/s, saturated", spread(rate)),
]
for what, key in (("acknowledged", "acknowledged"), ("received by the other", "received")):
    l = rate5k[key]
    rows.append((f"{what} at 5,000/s, p50 / p99", f"{l['p50_us']/1e3:.2f} / {l['p99_us']/1e3:.2f} ms"))
rows.append(("resident per idle connection", f"{idle['kib_per_connection']:.2f} KiB"))
rows.append(("resident per live conversation", f"{idle['kib_per_conversation']:.2f} KiB"))
width = max(len(r[0]) for r in rows)
for name, value in rows:
    print(f"{name:<{width}}  {value}")
verdicts = {r["verdict"] for r in saturated + [rate5k]}
print(f"{'verdicts':<{width}}  {', '.join(sorted(verdicts))}")
sys.exit(0 if verdicts == {"passed"} else 1)
PY
