#!/bin/sh
# Waits until no nginx worker of the earlier configuration is left: they still send requests to the old replicas.
# PROXY: container; TIMEOUT: seconds; SITE: names the configuration, so that this runs after each switch
set -eu
# One call that waits inside the container: each call takes a tenth of a second of processor time. (The brackets keep
# the search from finding itself.)
docker exec "$PROXY" /bin/sh -c '
  end=$(($(date +%s) + $1))
  while grep -lqs "is shutting dow[n]" /proc/[0-9]*/cmdline; do
    [ "$(date +%s)" -lt "$end" ] ||
      { echo "drain: requests of the old release still run after $1 s; going on" >&2; exit 0; }
    sleep 0.3
  done
  echo "no request of the earlier configuration is left"' drain "$TIMEOUT"
