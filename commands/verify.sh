#!/bin/sh
# Proves the release: requests through the proxy, and the environment read back out of every Laravel container.
# REPLICA: container that asks; CONTAINERS: all Laravel containers, words; APP_PATH; HOST; HEALTH_PATH; REQUESTS: count
# Standard input: {"names": {NAME: keyed hash of its planned value}}
set -eu
plan=$(cat)
proven() {
  said=$(printf '%s' "$plan" | docker exec -i "$1" php /drydock/readback.php "$APP_PATH" 2>&1) && { echo "$1: $said"; return; }
  printf '%s: %s\nverify: %s does not have the environment of the plan (the names are above). Release again: ./drydock up\n' "$1" "$said" "$1" >&2
  return 1
}

# All of them at once: each call into a container takes its time.
docker exec -i "$REPLICA" php -n -- "http://proxy:8091$HEALTH_PATH" "$HOST" "$REQUESTS" < runtime/probe.php &
running=$!
for container in $CONTAINERS; do
  proven "$container" &
  running="$running $!"
done
failed=0
for pid in $running; do wait "$pid" || failed=1; done
exit $failed
