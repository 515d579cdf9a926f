#!/bin/sh
# Waits until no worker of the edge is left that sends to a stack's earlier proxy.
# TIMEOUT: seconds; ROUTE: names the route, so that this runs after each change of it
set -eu
. commands/functions/edge.sh
EDGE=$(edge)
[ -n "$EDGE" ] || exit 0
PROXY=$EDGE SITE=$ROUTE sh commands/drain.sh
