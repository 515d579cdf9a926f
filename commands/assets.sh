#!/bin/sh
# Adds the release's public/ to the volume that nginx serves, with the `storage` link into the storage volume.
# IMAGE; VOLUME; APP_PATH; RUN_AS: uid:gid; LABELS: words
set -eu
# shellcheck disable=SC2086
docker run --rm --interactive --log-driver none $LABELS --network none --user "$RUN_AS" --cap-drop ALL --security-opt no-new-privileges --read-only --memory 256m \
  --mount "type=volume,source=$VOLUME,target=/public,volume-nocopy" --entrypoint php "$IMAGE" \
  -- "$APP_PATH/public" /public "$APP_PATH/storage/app/public" < runtime/assets.php
