#!/bin/sh
# Proves the release: requests through the proxy, and the environment read back out of every Laravel container.
# REPLICA: container that asks; FPM: HOST:PORT of every replica's PHP-FPM, with commas; CONTAINERS: all other Laravel
# containers, words
# WORKERS: those of Horizon, the workers and the scheduler, words; APP_PATH; HOST; HEALTH_PATH; REQUESTS: count;
# PROCESSES: see limits.sh
# PROXY: its container, where another one may still serve under the name `proxy`
# Standard input: {"names": {NAME: keyed hash of its planned value}}
set -eu
. commands/functions/answer.sh
plan=$(cat)
. commands/functions/healthy.sh
# Both at once: each call is a way to the host and back.
CONTAINERS=${WORKERS:-} sh commands/limits.sh &
limits=$!
replicas=$(replicas_of "$FPM")
# shellcheck disable=SC2086 # lists of words
[ -z "${WORKERS:-}$replicas" ] || healthy ${WORKERS:-} $replicas || exit 1
wait "$limits"
again="Release again: ./drydock up"
# judged CONTAINER: of its answer on standard input.
judged() {
  read -r answer || { echo "verify: the environment of $1 could not be read (see above). $again" >&2; return 1; }
  case $answer in *'"proven":true'*) echo "$1 $answer"; return ;; esac
  echo "$1 $answer" >&2
  echo "verify: $1 does not have the environment of the plan (the names are above). $again" >&2
  return 1
}
# All of them run at once and print to one place, each its lines as a whole: docker exec passes on what it gets in
# pieces, and what comes from two of them stands in one line.
probed() {
  code=0
  said=$(docker exec -i "$REPLICA" php -n \
    -- "http://${PROXY:-proxy}:8091$HEALTH_PATH" "$HOST" "$REQUESTS" < runtime/probe.php) || code=$?
  printf '%s\n' "$said"
  return $code
}
# The processes that serve are asked themselves, all of them by one call into a container, which takes a tenth of a
# second of processor time. A line for each, its address first.
serving() {
  said=$(printf '%s' "$plan" \
    | docker exec -i "$REPLICA" php -n /drydock/fcgi.php "$FPM" "$APP_PATH" /drydock/readback.php 15 body) || :
  wrong=0
  for address in $(echo "$FPM" | tr , ' '); do
    printf '%s\n' "$said" | sed -n "s/^$address \({.*\)/\1/p; /^{/p" | judged "${address%:*}" || wrong=1
  done
  return $wrong
}
proven() {
  said=$(printf '%s' "$plan" | docker exec -i "$1" php /drydock/readback.php "$APP_PATH") || :
  { printf '%s\n' "$said" | answered || printf '%s\n' "$said" >&2; } | judged "$1"
}

probed &
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
