#!/bin/sh
# Gives the shared volumes to the users that write to them (known issue 9: uid of the container and owner of the files differ).
# IMAGE: any image with a shell and coreutils; OWNERS: lines "VOLUME UID:GID"; LABELS: arguments for docker run
set -eu
echo "$OWNERS" | while read -r volume owner; do
  [ -n "$volume" ] || continue
  # shellcheck disable=SC2086 # LABELS is a list of words
  docker run --rm $LABELS --network none --user 0:0 --cap-drop ALL --cap-add CHOWN --cap-add FOWNER --cap-add DAC_OVERRIDE \
    --security-opt no-new-privileges --read-only --memory 128m --entrypoint /bin/sh \
    --mount "type=volume,source=$volume,target=/volume,volume-nocopy" "$IMAGE" \
    -c '[ "$(stat -c %u:%g /volume)" = "$0" ] || chown -R "$0" /volume' "$owner" </dev/null
  echo "$volume belongs to $owner"
done
