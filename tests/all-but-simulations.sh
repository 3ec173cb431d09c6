#!/usr/bin/env bash
# Runs one test program for cargo, unless it is the simulations: run.sh has those run
# beside the others.
set -euo pipefail
case ${1##*/} in
  sim-*) echo "The simulations run beside the others: see sim.log." ;;
  *) exec "$@" ;;
esac
