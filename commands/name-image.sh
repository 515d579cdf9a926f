#!/bin/sh
# Sees to it that a name which containers run from still means the image that they run from, after it was built once more: another
# builder, or one without its cache, makes another image of the same content.
# IMAGE: the name, made from the content; BUILT: the id of what was built
set -eu
now=$(docker image inspect -f '{{.Id}}' "$IMAGE") || { echo "image: $IMAGE was built ($BUILT) and is not there any more. Build it again: ./drydock up" >&2; exit 1; }
containers=$(docker ps --all --quiet --filter label=drydock.stack)
# shellcheck disable=SC2086 # a list of words; one of them may be gone by now
running=$([ -z "$containers" ] || docker container inspect -f '{{.Config.Image}} {{.Image}}' $containers 2>/dev/null || true)
running=$(printf '%s\n' "$running" | while read -r name id; do [ "$name" != "$IMAGE" ] || echo "$id"; done)
case "$running" in
  '' | *"$now"*) echo "$IMAGE is $now" ;;
  *)
    id=$(printf '%s\n' "$running" | head -n 1)
    docker tag "$id" "$IMAGE"
    echo "$IMAGE stays $id, which containers run from"
    ;;
esac
