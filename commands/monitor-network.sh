#!/bin/sh
# Has the Docker host say whether it has the network of drydock:monitoring.network, before any part of monitoring gives
# way: Prometheus stores in one folder, so that the one that runs goes before the next one is made.
# NETWORK: its name
set -eu
fail() {
  printf '%s\n' "monitor-network: drydock:monitoring.network is $NETWORK: $*" \
    "nothing was changed, what measures goes on measuring" >&2
  exit 1
}
case $NETWORK in
  host | none | bridge | default) fail "Docker's own, in which containers have no names. Make one: docker network" \
    "create grafana" ;;
esac
said=$(docker network inspect -f '{{.Driver}}' "$NETWORK" 2>&1) || case $said in
  *"No such network"* | *"not found"*) fail "the Docker host has no network of that name. Make it, with Grafana or" \
    "Prometheus in it: docker network create $NETWORK" ;;
  *) fail "Docker can't say whether there is one: $said" ;;
esac
echo "$NETWORK ($said)"
