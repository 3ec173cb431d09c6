#!/usr/bin/env bash
# Compiles one of our crates so that libFuzzer sees what is reached in it: what cargo-fuzz
# asks for, without a sanitizer, which takes no nightly compiler. run.sh sets it as
# RUSTC_WORKSPACE_WRAPPER, so that dependencies stay as they are.
set -euo pipefail

crate='' kind=''
for ((n = 1; n < $#; n++)); do
  next=$((n + 1))
  case ${!n} in
    --crate-name) crate=${!next} ;;
    --crate-type) kind=${!next} ;;
  esac
done
# What runs while building is not looked at, and nobody counts there.
if [ -z "$crate" ] || [ "$crate" = ___ ] || [ "$crate" = build_script_build ] || [ "$kind" = proc-macro ]; then
  exec "$@"
fi

flags=(
  --cfg fuzzing
  -Cdebuginfo=0
  -Copt-level=1
  -Ccodegen-units=1
  -Cdebug-assertions
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
if [ "$crate" = fuzz ]; then
  flags+=("-Clink-arg=${FUZZ_ENGINE:?run.sh sets it}" -Clink-arg=-lstdc++)
fi
exec "$@" "${flags[@]}"
