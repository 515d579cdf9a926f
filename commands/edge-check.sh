#!/bin/sh
# Has the nginx of the next edge judge its configuration with all that stacks have told, and take the ports that are
# new, before the edge that serves gives way to it: two containers can't have its ports.
# IMAGE: the next edge's; RUN_AS: uid:gid; NETWORK, STATE, CERTIFICATES: the network and the volumes of the edge;
# PLACES: where these two volumes are, words; PORTS: words IP:OUTSIDE:INSIDE/PROTOCOL; LABELS: arguments for docker run
# On standard input: the configuration
set -eu
. commands/functions/edge.sh
. commands/functions/throwaway.sh
fail() { printf '%s\n' "edge: $*" >&2; exit 1; }
publish=
for port in $PORTS; do
  outside=${port%:*} protocol=${port##*/}
  # The edge's own: nobody else can have it.
  [ -n "$(docker ps --quiet --filter label=drydock.role=edge --filter "publish=${outside##*:}/$protocol")" ] ||
    publish="$publish --publish $port"
done
# Where none serves, a stack's route that is refused is set aside at the start: it keeps nobody out.
EDGE=$(edge)
mounts=
[ -z "$EDGE" ] || mounts="--mount type=volume,source=$STATE,target=${PLACES% *},readonly,volume-nocopy \
  --mount type=volume,source=$CERTIFICATES,target=${PLACES#* },readonly,volume-nocopy"
code=0
# shellcheck disable=SC2086 # lists of words
throwaway "$RUN_AS" "$NETWORK" 128 --interactive --read-only $publish $mounts \
  --tmpfs "/tmp:rw,noexec,nosuid,uid=${RUN_AS%:*},gid=${RUN_AS#*:},mode=700,size=32m" \
  --entrypoint /bin/sh "$IMAGE" -euc 'mkdir /tmp/known; cat > /tmp/nginx.conf; nginx -q -t -c /tmp/nginx.conf' \
  || code=$?
case $code in
  0) ;;
  125) fail "the next edge can't start (see above: a port that something else has?);" \
    "nothing was changed, what serves goes on serving." ;;
  *) fail "nginx of $IMAGE refuses the edge's configuration (see above); nothing was changed, what serves goes on" \
    "serving. drydock:edge.image needs nginx 1.27.4 or newer, with HTTP/2, and with HTTP/3 for drydock:edge.http3;" \
    "what it refuses of a stack's route (routes/) is set by that stack's drydock:domains." ;;
esac
