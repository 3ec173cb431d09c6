#!/usr/bin/env bash
# Builds the image with podman and runs the chart's pods from it (see pods.py); not a part
# of `make test`, which assumes no container engine. Needs root and podman with its own
# networks and names (netavark and aardvark-dns); takes some minutes, most of them to build.
# IMAGE names one that is there already. The last line is "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v podman >/dev/null || { echo "this needs podman: install it and run again" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "only root may give volumes away" >&2; exit 1; }
if [ -z "${IMAGE:-}" ]; then
  IMAGE=localhost/frontdesk:local
  podman build -t "$IMAGE" .
fi
python=$(tests/chart/python.sh)
exec "$python" tests/image/pods.py --image "$IMAGE" "$@"
