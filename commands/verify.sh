#!/bin/sh
# Proves the release: requests through the proxy, and the environment read back out of every Laravel container.
# REPLICA: container that asks; CONTAINERS: all Laravel containers, words; APP_PATH; HOST; HEALTH_PATH; REQUESTS: count
# Standard input: {"names": {NAME: keyed hash of its planned value}}
set -eu
plan=$(cat)
docker exec -i "$REPLICA" php -n -- "http://proxy:8091$HEALTH_PATH" "$HOST" "$REQUESTS" < runtime/probe.php
for container in $CONTAINERS; do
  printf '%s: ' "$container"
  printf '%s' "$plan" | docker exec -i "$container" php /drydock/readback.php "$APP_PATH" || {
    echo "verify: $container does not have the environment of the plan (the names are above). Release again: ./drydock up" >&2
    exit 1
  }
done
