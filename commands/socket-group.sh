#!/bin/sh
# Prints the number of the group that owns Docker's socket on its host: only there it is known.
# IMAGE: any image with coreutils; SOCKET: the socket's path on the Docker host; LABELS: arguments for docker run
set -eu
. commands/functions/throwaway.sh
fail() {
  echo "socket-group: $1: set drydock:monitoring.socket (of Docker without root: /run/user/UID/docker.sock), or" \
    "drydock:monitoring.containers to false" >&2
  exit 1
}
with_socket() {
  throwaway 65532:65532 none 64 --read-only \
    --mount "type=bind,source=$SOCKET,target=/run/docker.sock,readonly" "$@" </dev/null
}
group=$(with_socket --entrypoint stat "$IMAGE" -c %g /run/docker.sock) ||
  fail "the Docker host has no socket at $SOCKET"
# An engine without root finds that of the machine's own beside its own, and may not use it.
with_socket --group-add "$group" --entrypoint test "$IMAGE" -w /run/docker.sock ||
  fail "the socket at $SOCKET is another engine's, or lets nobody but root use it (its group is $group)"
echo "$group"
