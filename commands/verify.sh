#!/bin/sh
# Proves the release: requests through the proxy, and the environment read back out of every Laravel container.
# REPLICA: container that asks; FPM: HOST:PORT of every replica's PHP-FPM, with commas; CONTAINERS: all other Laravel containers, words
# APP_PATH; HOST; HEALTH_PATH; REQUESTS: count
# Standard input: {"names": {NAME: keyed hash of its planned value}}
set -eu
plan=$(cat)
wrong="does not have the environment of the plan (the names are above). Release again: ./drydock up"
# The processes that serve are asked themselves, all of them by one call into a container, which takes a tenth of a second of processor time.
serving() {
  said=$(printf '%s' "$plan" | docker exec -i "$REPLICA" php -n /drydock/fcgi.php "$FPM" "$APP_PATH" /drydock/readback.php 15 body 2>&1) || {
    printf '%s\nverify: the environment of a replica could not be read (see above). Release again: ./drydock up\n' "$said" >&2
    return 1
  }
  printf '%s\n' "$said"
  case $said in *'"proven":false'*) echo "verify: a replica $wrong" >&2; return 1 ;; esac
}
proven() {
  said=$(printf '%s' "$plan" | docker exec -i "$1" php /drydock/readback.php "$APP_PATH" 2>&1) && { echo "$1 $said"; return; }
  printf '%s %s\nverify: %s %s\n' "$1" "$said" "$1" "$wrong" >&2
  return 1
}

# All of them at once.
docker exec -i "$REPLICA" php -n -- "http://proxy:8091$HEALTH_PATH" "$HOST" "$REQUESTS" < runtime/probe.php &
running=$!
if [ -n "$FPM" ]; then
  serving &
  running="$running $!"
fi
for container in $CONTAINERS; do
  proven "$container" &
  running="$running $!"
done
failed=0
for pid in $running; do wait "$pid" || failed=1; done
exit $failed
