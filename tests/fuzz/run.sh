#!/usr/bin/env bash
# Feeds every decoder with input that is guided by what it reaches (libFuzzer).
#   tests/fuzz/run.sh [SECONDS of each, or "brief" [TARGET…]]
# What breaks a decoder is left in target/fuzz/broken, and shown as the line that
# tests/fuzz/corpus/TARGET.txt keeps; what reaches something new stays in target/fuzz/corpus.
# The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.."

each=${1:-60}
shift || true
case $each in
  brief) limits=(-runs=4000 -max_total_time=2) ;;
  *) limits=("-max_total_time=$each") ;;
esac

# libFuzzer, of one version and one content; built once, apart from everything else, so
# that no dependency of ours is built otherwise on its account.
version=0.4.13
hash=a9fd2f41a1cba099f79a0b6b6c35656cf7c03351a7bae8ff0f28f25270f929d2
engine=$PWD/target/tools/libfuzzer-$version.a
if [ ! -f "$engine" ]; then
  command -v g++ >/dev/null || command -v c++ >/dev/null || {
    echo "fuzzing needs a compiler of C++: install the package g++ and run again" >&2
    exit 1
  }
  echo "building libFuzzer $version"
  folder=target/fuzz/engine
  mkdir -p "$folder" target/tools
  printf '[workspace]\n[package]\nname = "engine"\nversion = "0.0.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n[dependencies]\nlibfuzzer-sys = "=%s"\n' \
    "$version" >"$folder/Cargo.toml"
  : >"$folder/lib.rs"
  cargo fetch -q --manifest-path "$folder/Cargo.toml" || exit 1
  grep -A3 '^name = "libfuzzer-sys"' "$folder/Cargo.lock" | grep -q "\"$hash\"" || {
    echo "libfuzzer-sys $version is not what it was" >&2
    exit 1
  }
  cargo build -q --release --locked --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target" || exit 1
  cp "$folder"/target/release/build/libfuzzer-sys-*/out/libfuzzer.a "$engine" || exit 1
fi

# The whole workspace and its examples are named, though one is built, so that
# dependencies have the features that `cargo test --workspace` gives them.
FUZZ_ENGINE=$engine RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh CARGO_INCREMENTAL=0 \
  cargo build --locked --workspace --example fuzz --features frontdesk-fuzz/libfuzzer || exit 1
program=target/debug/examples/fuzz

seeds=target/fuzz/seeds
rm -rf "$seeds"
mkdir -p "$seeds" target/fuzz/{corpus,broken,logs}
# libFuzzer misses what only sanitizers have.
all=$(FUZZ_SEEDS=$seeds "$program" 2> >(grep -v '^WARNING: Failed to find function' >&2)) || exit 1
wanted=${*:-$all}

passed=0
failed=0
for target in $wanted; do
  mkdir -p "target/fuzz/corpus/$target"
  log=target/fuzz/logs/$target.log
  if FUZZ_TARGET=$target "$program" "target/fuzz/corpus/$target" "$seeds/$target" \
    "${limits[@]}" -max_len=8192 -timeout=5 -rss_limit_mb=1024 -use_value_profile=1 \
    -dict="$seeds/$target.words" -print_final_stats=1 -artifact_prefix="target/fuzz/broken/$target-" \
    >"$log" 2>&1; then
    passed=$((passed + 1))
    awk -v target="$target" '/ cov: / {for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1)}
      /INITED/ {for (i = 1; i < NF; i++) if ($i == "cov:") first = $(i + 1)}
      /number_of_executed_units/ {runs = $2}
      END {printf "ok      %-22s %9d inputs, reached %d places at first and %d at last\n", target, runs, first, cov}' "$log"
  else
    failed=$((failed + 1))
    echo "BROKEN  $target: see $log"
    grep -vE '^(#|INFO|Running|stat::)' "$log" | head -n 20
    input=$(sed -nE 's/.*Test unit written to (.*)$/\1/p' "$log" | tail -n 1)
    if [ -n "$input" ]; then FUZZ_SHOW=$input "$program"; fi
  fi
done

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
