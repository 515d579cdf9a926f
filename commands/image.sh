#!/bin/sh
# Looks whether the image has what the release needs, before anything is changed.
# IMAGE; APP_PATH; RUN_AS: uid:gid; LABELS: words; HORIZON: 1 where the stack runs workers; OWN_START: 1 where the image's own start is used
set -eu
fail() { echo "image: $*" >&2; exit 1; }
in_image() { # shellcheck disable=SC2086
  docker run --rm --interactive --log-driver none $LABELS --network none --user "$RUN_AS" \
    --cap-drop ALL --security-opt no-new-privileges --read-only --memory 256m --entrypoint "$@"
}
user=$(docker image inspect --format '{{.Config.User}}' "$IMAGE")
if [ -n "${user%%:*}" ] && [ "${user%%:*}" != root ]; then
  case $user in
    *[!0-9:]*) own=$(in_image id "$IMAGE" -u "${user%%:*}" </dev/null 2>/dev/null) || own="" ;;
    *) own=${user%%:*} ;;
  esac
  if [ -n "$own" ] && [ "$own" != 0 ] && [ "$own" != "${RUN_AS%:*}" ]; then
    says="the image $IMAGE is made to run as $user (uid $own), and drydock:app.uid is ${RUN_AS%:*}. Set it, and drydock:app.gid: pulumi config set --path drydock:app.uid $own"
    # A start of the image's own writes where that user may.
    [ "$OWN_START" != 1 ] || fail "$says"
    echo "image: $says" >&2
  fi
fi
code=0
in_image php "$IMAGE" -d display_errors=stderr -- "$APP_PATH" "$HORIZON" < runtime/image.php || code=$?
case $code in
  0) echo "$IMAGE has what it needs" ;;
  125 | 126 | 127) fail "php could not be run in $IMAGE (see above): it has to be on the image's PATH" ;;
  *) fail "$IMAGE lacks what is said above; nothing was changed." ;;
esac
