#!/bin/sh
# Waits until no nginx worker of the earlier configuration is left: they still send requests to the old replicas.
# PROXY: container; TIMEOUT: seconds. (The brackets keep the search from finding itself.)
set -eu
waited=0
while docker exec "$PROXY" /bin/sh -c 'grep -lqs "is shutting dow[n]" /proc/[0-9]*/cmdline'; do
  waited=$((waited + 1))
  [ "$waited" -le "$TIMEOUT" ] || { echo "drain: requests of the old release still run after $TIMEOUT s; going on" >&2; exit 0; }
  sleep 1
done
echo "no request of the earlier configuration is left"
