#!/bin/sh
# Prints the number of the group that owns Docker's socket on its host: only there it is known.
# IMAGE: any image with coreutils; SOCKET: the socket's path on the Docker host; LABELS: arguments for docker run
set -eu
. commands/functions/throwaway.sh
throwaway 65532:65532 none 64 --read-only --entrypoint stat \
  --mount "type=bind,source=$SOCKET,target=/run/docker.sock,readonly" "$IMAGE" -c %g /run/docker.sock </dev/null \
  || { echo "socket-group: the Docker host has no socket at $SOCKET: set drydock:monitoring.socket, or" \
      "drydock:monitoring.containers to false" >&2; exit 1; }
