#!/bin/sh
# Takes a stack's route away from the edge of the Docker host, with the names that it has claimed.
# ID, STACK: see edge-join.sh
set -eu
. commands/functions/edge.sh
EDGE=$(edge)
[ -n "$EDGE" ] || { echo "edge: none runs here; nothing to take away"; exit 0; }
printf '%s\n' "$ID $STACK" | in_edge '
  read -r id stack
  for claim in $(grep -lx "$id $stack" claims/* 2>/dev/null || :); do rm -f "$claim" "own/${claim#claims/}.pem"; done
  rm -f "routes/$id.conf" "routes/$id.conf.refused" "wanted/$id.json" "own/$id-"*.users
  nginx -q -t -c /tmp/edge/nginx.conf && nginx -c /tmp/edge/nginx.conf -s reload &&
    echo "edge: the route of stack $stack is gone"'
