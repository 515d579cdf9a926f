#!/bin/sh
# Has an image that drydock:monitoring.images names say whether it can take that part of monitoring, before the one
# that measures gives way to it.
# IMAGE; PART: its name there; RUN_AS: uid:gid; LABELS: arguments for docker run
# On standard input: the commands that judge it, for a shell in a container of the image
set -eu
. commands/functions/throwaway.sh
fail() {
  printf '%s\n' "monitor-check: $IMAGE can't take the part of drydock:monitoring.images.$PART: $*" \
    "nothing was changed, what measures goes on measuring" >&2
  exit 1
}
code=0
# shellcheck disable=SC2016 # for the shell in the container
said=$(throwaway "$RUN_AS" none 128 --interactive --read-only \
  --tmpfs "/tmp:rw,noexec,nosuid,uid=${RUN_AS%:*},gid=${RUN_AS#*:},mode=700,size=16m" \
  --entrypoint /bin/sh "$IMAGE" -euc 'command -v wget > /dev/null || exit 3; /bin/sh -eu || exit 4' 2>&1) || code=$?
case $code in
  0) printf '%s\n' "$said" | head -n 1 ;;
  3 | 126 | 127) fail "it has no /bin/sh, or no wget, which health checks and ./drydock metrics need. Take a variant" \
    "with both: of oliver006/redis_exporter the tag that ends with -alpine, of prom/… the one without -distroless" ;;
  4) fail "it is of a version that does not take what it would be told:
$(printf '%s\n' "$said" | sed '/^[Uu]sage/,$d; /^ *$/d' | head -n 6)" ;;
  *) fail "it could not be tried:
$(printf '%s\n' "$said" | tail -n 4)" ;;
esac
