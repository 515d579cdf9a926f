#!/bin/sh
# Has nginx of the proxy's image judge what it would start with and the site that is served, before the proxy that
# serves gives way to it: two containers can't have its port.
# IMAGE; RUN_AS: uid:gid; NETWORK: of the replicas; VOLUME: of the proxy's state; STATE: where that is; LABELS: words
# of docker run
# On standard input: the commands that judge it, for a shell in a container of the image
set -eu
. commands/functions/throwaway.sh
own="uid=${RUN_AS%:*},gid=${RUN_AS#*:},mode=700"
# Where none serves, a site that is refused is left out at the start, and the release's switch writes another.
mount=
[ -z "$(docker ps --quiet --filter label=drydock.role=proxy --filter "volume=$VOLUME")" ] ||
  mount="--mount type=volume,source=$VOLUME,target=/old,readonly,volume-nocopy"
# shellcheck disable=SC2016,SC2086 # for the shell in the container; a list of words
throwaway "$RUN_AS" "$NETWORK" 128 --interactive --read-only $mount \
  --tmpfs "$STATE:rw,noexec,nosuid,$own,size=32m" --tmpfs "/tmp:rw,noexec,nosuid,$own,size=16m" \
  --entrypoint /bin/sh "$IMAGE" -euc '
  for one in /old/*; do
    # What visitors are sending right now.
    case ${one##*/} in body | proxy | fastcgi) continue ;; esac
    [ ! -e "$one" ] || cp -R "$one" "$0/"
  done
  exec /bin/sh' "$STATE" || {
  printf '%s\n' "proxy: nginx of $IMAGE refuses the site that is served (see above), or is none; nothing was changed," \
    "what serves goes on serving. drydock:proxy.image names it." >&2
  exit 1
}
