#!/bin/sh
# Makes sure that the published port is free on the Docker host, before the proxy that serves gives way to one that
# wants it.
# ADDRESS: IP:PORT; IMAGE: any image with a shell; NETWORK: of the stack's proxy; LABELS: arguments for docker run
set -eu
. commands/functions/throwaway.sh
# The stack's own proxy has it: nobody else can.
[ -z "$(docker ps --quiet --filter "publish=${ADDRESS##*:}" --filter "network=$NETWORK")" ] ||
  { echo "$ADDRESS is the proxy's own"; exit 0; }
# Docker itself is asked: the host may be another machine. 8080 is the port that the proxy publishes.
throwaway 65534:65534 bridge 64 --publish "$ADDRESS:8080" --read-only --entrypoint /bin/sh "$IMAGE" -c : </dev/null \
  || { echo "port: $ADDRESS is not free (see above); nothing was changed, what serves goes on serving." >&2; exit 1; }
